"""Charts from repositories, registries and the web, over real HTTP, all of it checked."""

import asyncio
import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helm.packing import CHART, packed
from windlass.adapters.guarded import Client
from windlass.adapters.helm_sources import Sources, Wanted
from windlass.core.addresses import AddressPolicy
from windlass.helm import index
from windlass.helm.errors import HelmFailed

pytestmark = pytest.mark.anyio

DATA = packed(CHART)
DIGEST = hashlib.sha256(DATA).hexdigest()


class Served:
    """A server of canned answers, by the path that is asked for: (status, headers, body)."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head[0].split(" ")[1]
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        self.asked.append((path, headers))
        status, extra, body = self.answers.get(path, (404, {}, b""))
        if headers.get("if-none-match") and headers.get("if-none-match") == extra.get("etag"):
            status, body = 304, b""
        if extra.get("needs") and headers.get("authorization") != extra["needs"]:
            status, body = 401, b""
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in extra.items() if name != "needs"]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


def sources(served: Served, tmp_path: Path) -> Sources:
    allow = AddressPolicy(hosts=frozenset([served.host]))
    return Sources(allow, cache=tmp_path / "indexes")


async def refused(made: Sources, wanted: Wanted) -> HelmFailed:
    with pytest.raises(HelmFailed) as caught:
        await made.fetch(wanted)
    return caught.value


def an_index(*rows: tuple[str, str, str]) -> bytes:
    """As Helm writes it."""
    lines = ["apiVersion: v1", "entries:", "  other:", "  - version: 9.9.9", "    urls: [o.tgz]"]
    lines += ["  shop:"]
    for version, url, digest in rows:
        lines += [f"  - version: {version}", "    urls:", f"    - {url}"]
        lines += [f"    digest: {digest}"] if digest else []
    return "\n".join([*lines, "  zoo:", "  - version: 1.0.0", "    urls: [z.tgz]", ""]).encode()


async def test_a_chart_of_a_repository_is_chosen_followed_and_verified(served, tmp_path):
    listing = an_index(
        ("2.0.0-rc.1", "new.tgz", ""),
        ("1.10", "charts/shop-1.10.tgz", DIGEST),
        ("1.9.0", "bad.tgz", "0" * 64),
    )
    served.answers = {
        "/stable/index.yaml": (200, {"etag": '"1"'}, listing),
        "/stable/charts/shop-1.10.tgz": (302, {"location": "/blob"}, b""),
        "/stable/bad.tgz": (200, {}, DATA),
        "/blob": (200, {}, DATA),
    }
    made = sources(served, tmp_path)
    wanted = Wanted(name="shop", url=f"{served.url}/stable")

    found = await made.fetch(wanted)

    assert (found.data, found.version, found.digest) == (DATA, "1.10", f"sha256:{DIGEST}")
    assert await made.versions(wanted) == ["2.0.0-rc.1", "1.10", "1.9.0"]
    older = Wanted(name="shop", url=f"{served.url}/stable", version="~1.9")
    assert (await refused(made, older)).code == "digest"
    none = Wanted(name="shop", url=f"{served.url}/stable", version="^3")
    assert "newest version is 2.0.0-rc.1" in str(await refused(made, none))
    assert (await refused(made, Wanted(name="nope", url=wanted.url))).code == "chart-unknown"
    # All of that asked for the index once.
    assert [path for path, _ in served.asked].count("/stable/index.yaml") == 1


async def test_an_index_that_did_not_change_is_not_fetched_again(served, tmp_path):
    served.answers = {
        "/index.yaml": (200, {"etag": '"1"'}, an_index(("1.0.0", f"{served.url}/a.tgz", DIGEST))),
        "/a.tgz": (200, {}, DATA),
    }
    made = sources(served, tmp_path)
    wanted = Wanted(name="shop", url=served.url + "/")
    await made.fetch(wanted)
    for kept in (tmp_path / "indexes").glob("*.yaml"):
        os.utime(kept, (0, 0))

    assert (await made.fetch(wanted)).version == "1.0.0"
    asked = [headers for path, headers in served.asked if path == "/index.yaml"]
    assert [headers.get("if-none-match") for headers in asked] == [None, '"1"']


async def test_a_chart_of_a_registry_is_fetched_with_a_token_by_tag_range_or_digest(
    served, tmp_path
):
    layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    manifest = json.dumps({"layers": [{"mediaType": layer, "digest": f"sha256:{DIGEST}"}]}).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    challenge = f'Bearer realm="{served.url}/token",service="reg",scope="repository:acme/shop:pull"'
    guard = {"needs": "Bearer tok", "www-authenticate": challenge}
    top = "/v2/acme/shop"
    served.answers = {
        "/token?service=reg&scope=repository%3Aacme/shop%3Apull": (200, {}, b'{"token":"tok"}'),
        f"{top}/tags/list?n=1000": (
            200,
            guard | {"link": f'<{top}/tags/list?last=x>; rel="next"'},
            b'{"tags":["latest","1.2.3","1.3.0_b1"]}',
        ),
        f"{top}/tags/list?last=x": (200, guard, b'{"tags":["1.2.9","2.0.0-rc.1"]}'),
        f"{top}/manifests/1.3.0_b1": (200, guard, manifest),
        f"{top}/manifests/1.2.9": (200, guard, manifest),
        f"{top}/manifests/{digest}": (200, guard, manifest),
        f"{top}/manifests/sha256:{'0' * 64}": (200, guard, manifest),
        f"{top}/manifests/9.9.9": (200, guard, b'{"layers":[]}'),
        f"{top}/blobs/sha256:{DIGEST}": (307, guard | {"location": f"{served.url}/store"}, b""),
        "/store": (200, {}, DATA),
    }
    made = sources(served, tmp_path)
    url = f"oci://{served.host}/acme/shop"

    assert (await made.fetch(Wanted(name="shop", url=url))).version == "1.3.0+b1"
    assert (await made.fetch(Wanted(name="shop", url=url, version="~1.2"))).version == "1.2.9"
    assert (await made.fetch(Wanted(name="shop", url=url, version="1.2.9"))).data == DATA
    assert (await made.fetch(Wanted(name="shop", url=url, digest=digest))).data == DATA
    wrong = Wanted(name="shop", url=url, digest="sha256:" + "0" * 64)
    assert (await refused(made, wrong)).code == "digest"
    assert (await refused(made, Wanted(name="shop", url=url, version="9.9.9"))).code == "chart"
    assert (
        await refused(made, Wanted(name="shop", url=url, version="^7"))
    ).code == "version-unknown"
    assert (
        await refused(made, Wanted(name="x", url=f"oci://{served.host}/x"))
    ).code == "chart-unknown"


async def test_a_token_stays_with_the_host_that_it_is_for(served, tmp_path):
    other = Served()
    server = await asyncio.start_server(other.answer, "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    other.answers = {"/x.tgz": (200, {}, DATA)}
    served.answers = {"/x.tgz": (302, {"location": f"{other.url}/x.tgz"}, b"")}
    allow = AddressPolicy(hosts=frozenset([served.host, other.host]))
    answer = await Client(allow, redirects=2).get(f"{served.url}/x.tgz", authorization="Bearer t")
    stopped = await Client(allow).get(f"{served.url}/x.tgz", authorization="Bearer t")

    server.close()
    await server.wait_closed()
    assert answer.body == DATA
    assert stopped.status == 302
    assert "authorization" in served.asked[0][1]
    assert "authorization" not in other.asked[0][1]


async def test_addresses_are_guarded_also_behind_redirects(served, tmp_path):
    served.answers = {
        "/a.tgz": (302, {"location": "http://169.254.169.254/latest"}, b""),
        "/b.tgz": (302, {"location": "https://127.0.0.1:1/b.tgz"}, b""),
        "/c.tgz": (302, {"location": "/c.tgz"}, b""),
        "/d.tgz": (500, {}, b""),
        "/e.tgz": (403, {}, b""),
        "/f.tgz": (200, {}, b"\0" * (21 << 20)),
    }
    made = sources(served, tmp_path)
    said = {
        name: str(await refused(made, Wanted(name="x", url=f"{served.url}/{name}.tgz")))
        for name in "abcdefg"
    }

    assert "is not https" in said["a"]
    assert "loopback" in said["b"] or "this machine" in said["b"]
    assert "302" in said["c"]
    assert "500" in said["d"]
    assert "not public" in said["e"]
    assert "too large" in said["f"]
    assert "nothing at" in said["g"]
    nobody = Sources(AddressPolicy(), cache=tmp_path)
    error = await refused(nobody, Wanted(name="x", url="https://127.0.0.1:1/x.tgz"))
    assert (error.code, "127.0.0.1" in error.message) == ("unreachable", True)


def test_an_index_is_read_in_other_forms_too():
    whole = b'{"entries":{"shop":[{"version":"1.0.0","urls":["a.tgz"]},{"version":"2"}]}}'.decode()
    assert [one.version for one in index.entries(whole, "shop")] == ["1.0.0"]
    quoted = 'entries:\n    "shop":\n        - version: 1.0\n          urls:\n          - a\nx: y\n'
    assert index.entries(quoted, "shop")[0].version == "1.0"
    for text in ("", "[]", "entries: []", "a: [", "<html>", "entries:\n  shop: {a: b}\n"):
        with pytest.raises(HelmFailed):
            index.entries(text, "shop")
    assert index.entries(an_index(("1.0.0", "u", "")).decode(), "zoo")[0].url == "z.tgz"
