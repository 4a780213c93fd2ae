"""Apps and the panel behind the edge: streaming both ways, and nothing that lets a visitor lie."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.client import Answer, Client, fetch, head
from tests.edge.running import Edge, eventually, put_app

from windlass.edge.config import Patience

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(home: Path) -> AsyncIterator[Edge]:
    edge = Edge(home, patience=Patience(half_closed_seconds=3))
    await edge.start()
    put_app(edge.home, "depl_app", start_timeout_seconds=120, drain_seconds=5)
    edge.switch("depl_app")
    yield edge
    await edge.stop()


def told(answer: Answer) -> dict[str, object]:
    assert answer.status == 200, answer
    return json.loads(answer.body)


async def test_an_app_answers_through_the_edge(app: Edge):
    answer = await fetch(app.port, "/hello?a=1")

    assert told(answer)["target"] == "/hello?a=1"
    assert answer.headers["x-windlass-deployment"] == "depl_app"
    assert "x-hop" not in answer.headers


async def test_the_app_learns_who_asks_and_visitors_cannot_lie_about_it(app: Edge):
    answer = await fetch(
        app.port,
        "/",
        x_forwarded_for="6.6.6.6",
        x_forwarded_proto="https",
        x_forwarded_host="evil",
        forwarded="for=6.6.6.6",
        x_real_ip="6.6.6.6",
        connection="keep-alive, X-Secret",
        x_secret="for this hop only",
    )
    headers = told(answer)["headers"]

    assert isinstance(headers, dict)
    assert headers["host"] == "a.localhost"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "a.localhost"
    assert headers["x-request-id"]
    assert not {"forwarded", "x-real-ip", "x-secret", "connection"} & headers.keys()


async def test_a_trusted_proxy_is_believed(home: Path):
    edge = Edge(home, trusted_proxies=("127.0.0.0/8",))
    await edge.start()
    put_app(home, "depl_app")
    edge.switch("depl_app")

    answer = await fetch(edge.port, "/", x_forwarded_for="1.2.3.4", x_forwarded_proto="https")
    await edge.stop()

    headers = told(answer)["headers"]
    assert isinstance(headers, dict)
    assert headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"


async def test_headers_that_look_like_ours_to_cgi_are_not_passed_on(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(
            b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n"
        )
        headers = told(await client.answer())["headers"]

    assert isinstance(headers, dict)
    assert "x_forwarded_for" not in headers


async def test_a_body_arrives_whole(app: Edge):
    body = os.urandom(3_000_000)
    async with await Client.connect(app.port) as client:
        answer = told(await client.ask("/", method="POST", body=body))
        assert answer["sha256"] == hashlib.sha256(body).hexdigest()
        assert told(await client.ask("/again"))["target"] == "/again"


async def test_a_chunked_body_arrives_whole_and_the_connection_stays(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/", method="PUT", transfer_encoding="chunked"))
        await client.send(b"5\r\nhello\r\n6;x=1\r\n wor")
        await client.send(b"ld\r\n0\r\nX-Trailer: 1\r\n\r\n" + head("/next"))
        assert told(await client.answer())["sha256"] == hashlib.sha256(b"hello world").hexdigest()
        assert told(await client.answer())["target"] == "/next"


async def test_a_broken_chunk_is_refused_and_never_reaches_the_next_request(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/", method="POST", transfer_encoding="chunked"))
        await client.send(b"5\r\nhelloGET /smuggled HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        assert (await client.answer()).status == 400
        assert await client.rest() == b""


async def test_chunked_answers_are_framed_again(app: Edge):
    async with await Client.connect(app.port) as client:
        answer = await client.ask("/chunked")
        assert told(answer)["target"] == "/chunked"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert told(await client.ask("/more"))["target"] == "/more"


async def test_an_answer_without_a_length_ends_with_its_stream(app: Edge):
    async with await Client.connect(app.port) as client:
        assert (await client.ask("/until-end")).body == b"until the end"
        assert (await client.ask("/")).status == 200


async def test_an_old_client_gets_the_body_and_then_the_end(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(b"GET /chunked HTTP/1.0\r\nHost: a.localhost\r\n\r\n")
        answer = await client.answer()
        assert "transfer-encoding" not in answer.headers
        assert told(answer)["target"] == "/chunked"


async def test_head_204_and_304_have_no_body(app: Edge):
    async with await Client.connect(app.port) as client:
        assert (await client.ask("/", method="HEAD")).headers["content-length"] != "0"
        assert (await client.ask("/after")).status == 200


async def test_a_client_that_waits_for_permission_gets_it(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/", method="POST", expect="100-continue", content_length="4"))
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"body")
        answer = told(await client.answer())
        assert answer["size"] == 4
        headers = answer["headers"]
        assert isinstance(headers, dict)
        assert "expect" not in headers


async def test_early_hints_are_passed_on(app: Edge):
    answer = await fetch(app.port, "/hints")

    assert (answer.informational, answer.status) == ([103], 200)


async def test_an_app_may_refuse_a_body_before_it_has_arrived(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/early", method="POST", content_length="100000000") + b"x" * 1000)
        answer = await client.answer()
        assert (answer.status, answer.body) == (413, b"big")
        assert answer.headers["connection"] == "close"


async def test_a_body_that_the_app_did_not_get_is_not_taken_from_the_next_request(app: Edge):
    """Somebody's request that was refused early must not spoil the next visitor's. The body comes
    at each moment that there is: before the answer, while it passes, after it."""
    for turns in range(60):
        async with await Client.connect(app.port) as client:
            await client.send(head("/refused", method="POST", content_length="14"))
            for _ in range(turns):
                await asyncio.sleep(0)
            await client.send(b"a body of 14 b")
            assert (await client.answer()).status == 403
            assert (await fetch(app.port, "/")).status == 200


async def test_a_body_that_never_comes_is_not_taken_from_the_next_request(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/refused", method="POST", content_length="14"))
        assert (await client.answer()).status == 403
        assert (await fetch(app.port, "/")).status == 200


async def test_server_sent_events_arrive_one_by_one(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/events?3"))
        answer = await client.answer_head()
        assert answer.headers["content-type"] == "text/event-stream"
        # The app never ends this answer, so whatever is read here was not held back.
        assert [await client.chunk() for _ in range(3)] == [
            b"data: 0\n\n",
            b"data: 1\n\n",
            b"data: 2\n\n",
        ]
        await eventually(lambda: app.supervisor.status()["depl_app"].in_flight == 1)
    await eventually(lambda: app.supervisor.status()["depl_app"].in_flight == 0)


async def test_a_websocket_is_passed_through_both_ways(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(
            head("/websocket", connection="Upgrade", upgrade="websocket", sec_websocket_key="x")
            + b"early"
        )
        answer = await client.answer_head()
        assert answer.status == 101
        assert answer.headers["upgrade"] == "websocket"
        assert answer.headers["x-windlass-deployment"] == "depl_app"
        assert await client.reader.readexactly(5) == b"early"
        blob = os.urandom(500_000)
        await client.send(blob)
        assert await client.reader.readexactly(len(blob)) == blob
        # A side that has finished still hears what the other side has to say.
        client.writer.write_eof()
        assert await client.rest() == b"goodbye"


async def test_an_upgrade_to_plain_http2_is_not_passed_on(app: Edge):
    answer = await fetch(app.port, "/websocket", connection="Upgrade", upgrade="h2c")

    assert answer.status == 426


async def test_a_client_that_has_sent_everything_still_gets_its_answer(app: Edge):
    await fetch(app.port, "/")
    async with await Client.connect(app.port) as client:
        await client.send(head("/slow?0.05"))
        client.writer.write_eof()
        assert told(await client.answer())["target"] == "/slow?0.05"


async def test_a_slow_reader_makes_the_app_wait(app: Edge):
    size = 30_000_000
    async with await Client.connect(app.port) as client:
        await client.send(head(f"/flood?{size}"))
        answer = await client.answer_head()
        assert answer.headers["content-length"] == str(size)
        left = size
        while left:
            left -= len(await client.reader.read(65536))


async def test_requests_on_one_connection_are_answered_in_order(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/slow?0.05") + head("/two") + head("/three"))
        targets = [told(await client.answer())["target"] for _ in range(3)]

    assert targets == ["/slow?0.05", "/two", "/three"]


# When the app misbehaves


@pytest.mark.parametrize("path", ["/garbage", "/nothing"])
async def test_an_answer_that_makes_no_sense_is_a_502_with_a_request_id(app: Edge, path: str):
    answer = await fetch(app.port, path, accept="text/html")

    assert answer.status == 502
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-windlass-deployment"] == "depl_app"


async def test_an_answer_cut_short_is_cut_short_for_the_visitor_too(app: Edge):
    async with await Client.connect(app.port) as client:
        await client.send(head("/cut"))
        answer = await client.answer_head()
        assert answer.headers["content-length"] == "100"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await client.reader.readexactly(100)


async def test_a_kept_connection_that_the_app_closed_is_replaced_unseen(app: Edge):
    async with await Client.connect(app.port) as client:
        for _ in range(20):
            assert (await client.ask("/once")).body == b"once"
            assert (await client.ask("/")).status == 200


async def test_a_post_is_never_sent_twice(app: Edge):
    answer = await fetch(app.port, "/nothing", method="POST")

    assert answer.status == 502


@pytest.fixture
async def hasty(home: Path) -> AsyncIterator[Edge]:
    edge = Edge(home, patience=Patience(answer_seconds=2, upload_seconds=0.5))
    await edge.start()
    put_app(home, "depl_app")
    edge.switch("depl_app")
    yield edge
    await edge.stop()


async def test_an_app_that_does_not_answer_is_a_504(hasty: Edge):
    await fetch(hasty.port, "/")

    assert (await fetch(hasty.port, "/hang")).status == 504


async def test_a_body_that_stops_arriving_is_a_408(hasty: Edge):
    await fetch(hasty.port, "/")
    async with await Client.connect(hasty.port) as client:
        await client.send(head("/", method="POST", content_length="10") + b"five!")
        assert (await client.answer()).status == 408


async def test_a_visitor_who_leaves_frees_the_app(app: Edge):
    await fetch(app.port, "/")
    client = await Client.connect(app.port)
    await client.send(head("/hang"))
    await eventually(lambda: app.supervisor.status()["depl_app"].in_flight == 1)
    client.writer.transport.abort()
    await eventually(lambda: app.supervisor.status()["depl_app"].in_flight == 0)


# The panel


async def test_the_panel_is_reached_by_its_own_names(edge: Edge):
    seen: list[bytes] = []

    async def panel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npanel")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(panel, str(edge.home / "run" / "web.sock"))
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert (await fetch(edge.port, "/", host=host, x_forwarded_for="6.6.6.6")).body == b"panel"
    server.close()

    assert b"X-Forwarded-For: 127.0.0.1\r\n" in seen[0]
    assert b"Host: localhost:8000\r\n" in seen[0]


async def test_an_error_page_does_not_hold_up_the_requests_behind_it(edge: Edge):
    async with await Client.connect(edge.port) as client:
        await client.send(head("/", host="localhost") * 3)
        assert [(await client.answer()).status for _ in range(3)] == [503] * 3


async def test_without_the_panel_visitors_are_told_when_to_come_back(edge: Edge):
    answer = await fetch(edge.port, "/", host="localhost")

    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert "Sites keep being served" in answer.text
