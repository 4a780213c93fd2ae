"""The printed configuration, run by a real nginx in front of a real edge."""

import asyncio
import gzip
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.client import Answer, Client, fetch, head
from tests.edge.running import Edge, put_app, put_release
from tests.running import free_port

from windlass.core import environment, nginx

# Debian's is not on an ordinary user's path.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

SCRIPT = b"let a = 1;" * 300
FILES = {
    "index.html": b"home",
    "about.html": b"about",
    "404.html": b"nothing",
    "app.js": SCRIPT,
    "blog/index.html": b"blog",
    "font.woff2": b"font",
    "site.webmanifest": b"{}",
    "app-BkqR3xw0.js": b"mixed",
    "main.3f9a2c1d.css": b"hexadecimal",
    "app-5KZP3XKQ.js": b"base 32",
    "photo-Summer2024.jpg": b"1",
    "DSC00012.jpg": b"2",
    "about-JavaScript.png": b"3",
    "photo-20240101.jpg": b"4",
}


class Front:
    """nginx and the edge behind it."""

    def __init__(self, edge: Edge, port: int) -> None:
        self.edge = edge
        self.port = port


@pytest.fixture
async def front(home) -> AsyncIterator[Front]:
    edge = Edge(home, trusted_proxies=("127.0.0.1/32",))
    await edge.start()
    (home / "logs").mkdir()
    port = free_port()
    (home / "nginx.conf").write_text(nginx.config(home, listen=port, upstream_port=edge.port))
    process = subprocess.Popen(  # noqa: ASYNC220
        [NGINX or "", "-c", str(home / "nginx.conf"), "-p", str(home), "-g", "daemon off;"],
        stderr=subprocess.PIPE,
    )
    while process.poll() is None:
        try:
            (await Client.connect(port)).writer.close()
            break
        except OSError:
            await asyncio.sleep(0.01)
    assert process.poll() is None, process.communicate()[1]
    yield Front(edge, port)
    process.terminate()
    await asyncio.to_thread(process.communicate)
    await edge.stop()


@pytest.fixture
async def site(front: Front) -> Front:
    put_release(front.edge.home, "depl_1", FILES, variants={"app.js": (gzip.compress(SCRIPT), b"")})
    front.edge.switch("depl_1")
    return front


def essence(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    kept = ("content-type", "cache-control", "x-content-type-options", "location")
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    return answer.status, answer.body, headers


@pytest.mark.parametrize(
    "path",
    [
        *(f"/{name}" for name in FILES),
        *("/", "/about", "/blog", "/blog/", "/missing", "/missing/", "/missing.js"),
    ],
)
async def test_nginx_and_the_edge_answer_alike(site: Front, path: str):
    assert essence(await fetch(site.port, path)) == essence(await fetch(site.edge.port, path))


async def test_a_plain_file_is_sent_without_tag_and_date(site: Front):
    answer = await fetch(site.port, "/app.js", if_none_match='"any"')

    assert (answer.status, answer.body) == (200, SCRIPT)
    assert not {"etag", "last-modified", "x-windlass-deployment"} & answer.headers.keys()


async def test_a_compressed_variant_is_used(site: Front):
    answer = await fetch(site.port, "/app.js", accept_encoding="gzip")

    assert gzip.decompress(answer.body) == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_switch_shows_at_once_and_never_as_304(site: Front):
    put_release(site.edge.home, "depl_2", {"app.js": SCRIPT[::-1]})
    async with await Client.connect(site.port) as client:
        for number in range(20):
            deployment, body = (("depl_2", SCRIPT[::-1]), ("depl_1", SCRIPT))[number % 2]
            site.edge.switch(deployment)
            answer = await client.ask(
                "/app.js", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT", if_none_match='"any"'
            )
            assert (answer.status, answer.body) == (200, body)


async def test_the_files_of_an_app_are_never_served(front: Front):
    put_app(front.edge.home, "depl_1")
    source = front.edge.home / "releases/depl_1/files/settings.py"
    source.parent.mkdir()
    source.write_text("SECRET = 1")
    front.edge.switch("depl_1")

    answer = await fetch(front.port, "/settings.py", x_forwarded_for="6.6.6.6")

    assert answer.headers["x-windlass-deployment"] == "depl_1"
    assert b"SECRET" not in answer.body
    assert b'"x-forwarded-for": "127.0.0.1, 127.0.0.1"' in answer.body


async def test_websockets_and_unknown_hosts_reach_the_edge(front: Front):
    put_app(front.edge.home, "depl_1")
    front.edge.switch("depl_1")
    async with await Client.connect(front.port) as client:
        await client.send(head("/websocket", connection="Upgrade", upgrade="websocket"))
        assert (await client.answer_head()).status == 101
        await client.send(b"hello")
        assert await client.reader.readexactly(5) == b"hello"

    assert "There is no site at" in (await fetch(front.port, "/", host="b.localhost")).text
    assert (await fetch(front.port, "/", host="localhost")).status == 503


async def test_other_methods_get_the_answer_of_the_edge(site: Front):
    answer = await fetch(site.port, "/app.js", method="DELETE")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_printed_file_names_the_setting_that_belongs_to_it(tmp_path: Path):
    text = nginx.config(tmp_path, listen=80, upstream_port=8000)

    found = re.search(r"(WINDLASS_\w+)=(\S+?),", text)
    assert found is not None
    assert environment.load({found[1]: found[2]}).edge.trusted_proxies == "127.0.0.1/32"
