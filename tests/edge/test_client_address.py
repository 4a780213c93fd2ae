"""Through the edge and directly: a visitor cannot choose the address they are known by (B-068)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from tests.edge.client import Client, fetch, head
from tests.edge.running import Edge, eventually

from windlass.core.addresses import client_address

pytestmark = pytest.mark.anyio

CLAIMS = {
    "x_forwarded_for": "6.6.6.6, 7.7.7.7",
    "x_real_ip": "6.6.6.6",
    "forwarded": "for=6.6.6.6",
    "true_client_ip": "6.6.6.6",
    "cf_connecting_ip": "6.6.6.6",
}


class Panel:
    """Says from whom a request came. Served as the control plane is: by uvicorn, on a socket."""

    def __init__(self, trusted: str) -> None:
        self.trusted = trusted

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        body = client_address(scope, self.trusted).encode()
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    """Signals are the test runner's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def panel(home: Path) -> AsyncIterator[Panel]:
    found = Panel("")
    config = uvicorn.Config(
        found,
        uds=str(home / "run" / "web.sock"),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield found
    server.should_exit = True
    await serving


async def test_what_a_visitor_says_of_themselves_is_not_heard(edge: Edge, panel: Panel) -> None:
    for claims in ({}, CLAIMS):
        answer = await fetch(edge.port, "/", host="localhost", **claims)
        assert answer.text == "127.0.0.1"

    # Twice, with an underscore, and with nonsense.
    async with await Client.connect(edge.port) as client:
        lines = (
            "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 7.7.7.7\r\nX_Forwarded_For: 8.8.8.8\r\n"
        )
        request = head("/", host="localhost").decode().replace("\r\n\r\n", f"\r\n{lines}\r\n")
        await client.send(request.encode())
        assert (await client.answer()).text == "127.0.0.1"


async def test_behind_a_proxy_of_ours_its_word_counts_and_not_what_stands_before(
    home: Path, panel: Panel
) -> None:
    edge = Edge(home, trusted_proxies=("127.0.0.0/8",))
    panel.trusted = "127.0.0.0/8"
    await edge.start()
    for forwarded, address in [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 127.0.0.5", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
    ]:
        answer = await fetch(edge.port, "/", host="localhost", x_forwarded_for=forwarded)
        assert answer.text == address
    await edge.stop()


async def test_an_edge_that_trusts_nobody_is_believed_by_nobody_else(
    edge: Edge, panel: Panel
) -> None:
    """The edge and the control plane read one setting; a visitor gains nothing if they differ."""
    panel.trusted = "10.0.0.0/8"

    answer = await fetch(edge.port, "/", host="localhost", x_forwarded_for="6.6.6.6")

    assert answer.text == "127.0.0.1"
