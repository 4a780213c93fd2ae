"""The document that programs read: complete, consistent, and served to everybody."""

import inspect
import json
import re
from typing import Any

import httpx2
import pytest
import schemathesis
from docs import generate
from jsonschema import Draft202012Validator

from windlass.auth.deps import handlers_of
from windlass.core import openapi

_APP = generate.application()
_DOCUMENT = openapi.document(_APP)
_RAW = re.compile(r"request\.(?:body|stream)\(\)")


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(_DOCUMENT)))

    assert names - _DOCUMENT["components"]["schemas"].keys() == set()


def test_shapes_have_short_names_of_their_own() -> None:
    """Two structs of one name would both get their module's name in front."""
    assert [name for name in _DOCUMENT["components"]["schemas"] if not name.isidentifier()] == []


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


def _contents() -> list[tuple[str, dict[str, Any]]]:
    """Every JSON that the document describes, with where."""
    return [
        (f"{method} {path} {name}", content)
        for path, methods in _DOCUMENT["paths"].items()
        for method, operation in methods.items()
        for name, part in [
            ("body", operation.get("requestBody", {})),
            *((status, answer) for status, answer in operation["responses"].items()),
        ]
        for kind, content in part.get("content", {}).items()
        if kind == "application/json" and content["schema"]
    ]


def test_every_example_is_what_its_schema_says() -> None:
    """Where the made one is wrong, the field's `Meta` needs `examples`."""
    wrong: list[str] = []
    for where, content in _contents():
        schema = {**content["schema"], "components": _DOCUMENT["components"]}
        for error in Draft202012Validator(schema).iter_errors(content["example"]):
            wrong.append(f"{where}: {error.json_path} {error.message}")

    assert wrong == []


def test_the_document_is_openapi_of_its_version() -> None:
    schemathesis.openapi.from_dict(_DOCUMENT).validate()


def test_bodies_refuse_what_they_do_not_know() -> None:
    names = {
        ref.rsplit("/", 1)[-1]
        for where, content in _contents()
        if where.endswith("body")
        for ref in re.findall(r"#/components/schemas/\w+", json.dumps(content["schema"]))
    }
    schemas = _DOCUMENT["components"]["schemas"]

    assert names
    assert [n for n in names if schemas[n].get("additionalProperties") is not False] == []


def test_every_refusal_is_in_the_envelope() -> None:
    for response in _DOCUMENT["components"]["responses"].values():
        schema = response["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}
    for methods in _DOCUMENT["paths"].values():
        for operation in methods.values():
            refused = [status for status in operation["responses"] if status[0] == "4"]
            assert {"400", "429"} <= set(refused)
            assert ("401" in refused) >= bool(operation["security"])


def test_it_describes_the_api_and_nothing_else() -> None:
    assert [path for path in _DOCUMENT["paths"] if not path.startswith("/api/")] == []


@pytest.mark.anyio
async def test_it_is_served_without_an_account(anonymous: httpx2.AsyncClient) -> None:
    response = await anonymous.get(openapi.PATH)

    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")
