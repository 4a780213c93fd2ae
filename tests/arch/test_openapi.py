"""The document that programs read: complete, consistent, and served to everybody."""

import inspect
import json
import re

import httpx2
import pytest
from docs import generate

from windlass.auth.deps import handlers_of
from windlass.core import openapi

_APP = generate.application()
_DOCUMENT = openapi.document(_APP)
_RAW = re.compile(r"request\.(?:body|stream)\(\)")


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(_DOCUMENT)))

    assert names - _DOCUMENT["components"]["schemas"].keys() == set()


def test_every_operation_has_a_name_of_its_own_a_summary_and_the_error() -> None:
    operations = [found for path in _DOCUMENT["paths"].values() for found in path.values()]
    names = [operation["operationId"] for operation in operations]

    assert len(set(names)) == len(names)
    assert [o["operationId"] for o in operations if not o["summary"]] == []
    assert [o["operationId"] for o in operations if "default" not in o["responses"]] == []


def test_lists_are_plain_lists_in_the_envelope() -> None:
    found = _DOCUMENT["paths"]["/api/deployments"]["get"]["responses"]["200"]
    schema = found["content"]["application/json"]["schema"]

    assert schema["properties"]["data"]["type"] == "array"
    assert schema["properties"]["data"]["items"]["$ref"].endswith("/DeploymentOut")


def test_a_handler_that_reads_the_body_itself_says_what_it_takes() -> None:
    """A client made from the document must know that there is a body, and which."""
    found = {
        (path, str(method).lower())
        for path, handler in handlers_of(_APP)
        for method in handler.http_methods
        if path.startswith("/api/") and _RAW.search(inspect.getsource(handler.fn))
    }

    assert ("/api/blobs/{sha256}", "put") in found
    for path, method in found:
        body = _DOCUMENT["paths"][path][method]["requestBody"]
        assert body["required"] is True
        assert body["description"]
        assert body["content"]["application/octet-stream"]["schema"]["format"] == "binary"


def test_it_describes_the_api_and_nothing_else() -> None:
    assert [path for path in _DOCUMENT["paths"] if not path.startswith("/api/")] == []


@pytest.mark.anyio
async def test_it_is_served_without_an_account(anonymous: httpx2.AsyncClient) -> None:
    response = await anonymous.get(openapi.PATH)

    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")
