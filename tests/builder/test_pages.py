"""The builder without scripts, and the rules in the panel."""

import httpx2
import pytest

pytestmark = pytest.mark.anyio
SHORT = {"name": "web", "image": "ghcr.io/acme/web:1.4.2", "port": "8080", "namespace": "shop"}


async def posted(client: httpx2.AsyncClient, **fields: str) -> httpx2.Response:
    headers = {"origin": str(client.base_url).rstrip("/")}
    return await client.post("/charts", data=fields, headers=headers)


async def test_a_short_form_makes_manifests_without_a_script(client: httpx2.AsyncClient) -> None:
    shown = await client.get("/charts")
    made = await posted(client, **SHORT, action="generate")

    assert shown.status_code == 200
    assert "data-builder" in shown.text
    assert made.status_code == 200
    assert "kind: NetworkPolicy" in made.text
    assert "Nothing is wrong with it." in made.text


async def test_wrong_fields_are_told_where_they_stand(client: httpx2.AsyncClient) -> None:
    refused = await posted(client, **SHORT | {"port": "0", "image": ""}, action="generate")

    assert refused.status_code == 422
    assert 'href="#f-image"' in refused.text
    assert "0 is no port" in refused.text


async def test_a_text_is_checked_and_mended(client: httpx2.AsyncClient) -> None:
    text = (
        "apiVersion: v1\r\nkind: Pod\r\nmetadata: {name: a, namespace: b}\r\nspec:\r\n"
        "  hostPID: true\r\n  containers:\r\n    - {name: a, image: 'ghcr.io/a/b:1.0'}\r\n"
    )
    checked = await posted(client, yaml=text, action="check")
    mended = await posted(client, yaml=text, action="fix")
    broken = await posted(client, yaml="a: [", action="check")

    assert "/charts/rules/host-pid" in checked.text or "/charts/rules/" in checked.text
    assert "hostPID: true" not in mended.text
    assert broken.status_code == 200
    assert "line 2" in broken.text or "line 1" in broken.text


async def test_rules_are_found_and_shown(client: httpx2.AsyncClient) -> None:
    every = await client.get("/charts/rules")
    found = await client.get("/charts/rules", params={"q": "privileged"})
    none = await client.get("/charts/rules", params={"q": "<nothing>"})
    one = await client.get("/charts/rules/privileged")

    assert every.text.count("/charts/rules/") > 100
    assert 0 < found.text.count("/charts/rules/") < 30
    assert "No rule says that." in none.text
    assert "checks.windlass.dev/skip-privileged" in one.text
    assert (await client.get("/charts/rules/nope")).status_code == 404
