"""The reference of the API as a page of our own (B-080)."""

import re

import httpx2
import pytest
from litestar import Litestar

from windlass.core import openapi

pytestmark = pytest.mark.anyio
URL = "/api/docs"


async def test_it_shows_every_operation_to_everybody(anonymous: httpx2.AsyncClient) -> None:
    document = (await anonymous.get(openapi.PATH)).json()
    page = await anonymous.get(URL)

    known = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    assert page.headers["content-type"].startswith("text/html")
    assert set(re.findall(r'<details class="panel" id="(\w+)"', page.text)) == known
    assert "project:write" in page.text
    assert "://" not in re.sub(r"<pre.*?</pre>", "", page.text, flags=re.DOTALL)


async def test_it_is_searched_without_a_script(anonymous: httpx2.AsyncClient) -> None:
    found = await anonymous.get(URL, params={"q": "POST rollback"})
    nothing = await anonymous.get(URL, params={"q": "<script>alert(1)</script>"})

    assert "/api/deployments/{deployment_id}/rollback" in found.text
    assert "/api/projects/{project_id}/env" not in found.text
    assert "0 of" in nothing.text
    assert "<script>alert" not in nothing.text


async def test_the_document_is_made_once(anonymous: httpx2.AsyncClient, app: Litestar) -> None:
    """It takes a tenth of a second, and anybody may ask for it."""
    first = (await anonymous.get(openapi.PATH)).content
    made = app.state["openapi"]
    again = (await anonymous.get(openapi.PATH)).content

    assert first == again == made
    assert app.state["openapi"] is made


async def test_examples_show_ids_and_moments_as_they_look(anonymous: httpx2.AsyncClient) -> None:
    paths = (await anonymous.get(openapi.PATH)).json()["paths"]
    answer = paths["/api/deployments/{deployment_id}"]["get"]["responses"]["200"]
    shown = answer["content"]["application/json"]["example"]["data"]

    assert shown["id"].startswith("depl_")
    assert shown["createdAt"].endswith("Z")
    assert paths["/api/auth/passkeys/{passkey_id}"]["patch"]["parameters"][0]["example"].startswith(
        "pkey_"
    )
