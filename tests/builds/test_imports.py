"""The report on files of other hosts, as the API gives it with a source."""

import hashlib
import json

import httpx2
import pytest

pytestmark = pytest.mark.anyio


async def report_of(client: httpx2.AsyncClient, files: dict[str, str], query: str = "") -> dict:
    entries: list[dict[str, object]] = []
    for path, text in files.items():
        content = text.encode()
        sha256 = hashlib.sha256(content).hexdigest()
        sent = await client.put(f"/api/blobs/{sha256}", content=content)
        assert sent.status_code == 201, sent.text
        entries.append({"path": path, "sha256": sha256, "size": len(content)})
    made = await client.post("/api/sources", json={"files": entries, "name": "site"})
    answer = await client.get(f"/api/sources/{made.json()['data']['id']}{query}")
    return answer.json()["data"]


async def test_a_source_comes_with_what_its_files_become(client: httpx2.AsyncClient) -> None:
    vercel = {"cleanUrls": False, "crons": [{"path": "/a", "schedule": "* * * * *"}]}
    found = await report_of(
        client,
        {
            "index.html": "<h1>",
            "vercel.json": json.dumps(vercel),
            "_redirects": "/a /b\n/b /a\n",
            ".env.example": "TOKEN=\n",
        },
    )

    assert found["plan"]["cleanUrls"] is False
    rows = {(row["file"], row["key"]): row["verdict"] for row in found["imports"]["rows"]}
    assert rows == {
        ("_redirects", "redirects"): "exact",
        ("vercel.json", "cleanUrls"): "exact",
        ("vercel.json", "crons"): "impossible",
        ("_redirects", "redirect loop"): "impossible",
        (".env.example", "names"): "adapted",
    }
    assert found["imports"]["variables"][0]["name"] == "TOKEN"
    assert found["imports"]["toml"] == "clean_urls = false\n"


async def test_a_broken_file_is_in_the_report_though_there_is_no_plan(
    client: httpx2.AsyncClient,
) -> None:
    found = await report_of(client, {"index.html": "<h1>", "vercel.json": "{"})

    assert found["plan"] is None
    assert "vercel.json" in found["planError"]["message"]
    assert found["imports"]["rows"][0]["verdict"] == "impossible"


async def test_the_folder_that_was_asked_for_is_looked_at(client: httpx2.AsyncClient) -> None:
    files = {"a/index.html": "", "b/index.html": "", "b/_redirects": "/a /b"}

    assert (await report_of(client, files, "?rootDirectory=a"))["imports"] is None
    assert (await report_of(client, files, "?rootDirectory=b"))["imports"]["files"] == [
        "b/_redirects"
    ]
    assert (await report_of(client, files, "?rootDirectory=../b"))["imports"] is None
