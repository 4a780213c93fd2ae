"""The reference of the API as a page of our own (B-080)."""

import re

import httpx2
import pytest

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
