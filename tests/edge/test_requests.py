"""The request parser: strict, so that nobody can smuggle, and patient with nobody."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.client import Client, fetch, head, raw
from tests.edge.running import Edge, put_app, put_release

from windlass.core.site import File, Site
from windlass.core.tally import Tally
from windlass.edge import paths
from windlass.edge.config import Patience
from windlass.edge.negotiate import byte_range, encodings, is_unchanged
from windlass.edge.request import MAX_HEAD_BYTES, Refused, check_start, parse
from windlass.edge.table import Found, Moved, Release

HOST = b"Host: a.localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.localhost\r\n\r\n"

# Each of these is read differently by some server or proxy that was attacked with it.
MALFORMED = {
    "both lengths": b"POST / HTTP/1.1\r\n%bContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\n%bContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
    "the same length twice": b"POST / HTTP/1.1\r\n%bContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
    "a list of lengths": b"POST / HTTP/1.1\r\n%bContent-Length: 4, 4\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\n%bContent-Length: -1\r\n\r\n",
    "a signed length": b"POST / HTTP/1.1\r\n%bContent-Length: +4\r\n\r\n",
    "a hexadecimal length": b"POST / HTTP/1.1\r\n%bContent-Length: 0x4\r\n\r\n",
    "a huge length": b"POST / HTTP/1.1\r\n%bContent-Length: 9999999999999999999\r\n\r\n",
    "an empty length": b"POST / HTTP/1.1\r\n%bContent-Length:\r\n\r\n",
    "a length with an underscore": b"POST / HTTP/1.1\r\n%bContent-Length: 1_0\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\n%bTransfer-Encoding: xchunked\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\n%bTransfer-Encoding: chunked, chunked\r\n\r\n",
    "two codings": b"POST / HTTP/1.1\r\n%bTransfer-Encoding: gzip, chunked\r\n\r\n",
    "two coding headers": b"POST / HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: identity\r\n\r\n",
    "a tab in the coding": b"POST / HTTP/1.1\r\n%bTransfer-Encoding: \x0bchunked\r\n\r\n",
    "a coding in HTTP/1.0": b"POST / HTTP/1.0\r\n%bTransfer-Encoding: chunked\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n%bX-A: 1\r\n 2\r\n\r\n",
    "a folded coding": b"POST / HTTP/1.1\r\n%bTransfer-Encoding:\r\n chunked\r\n\r\n",
    "a space before the colon": b"POST / HTTP/1.1\r\n%bContent-Length : 4\r\n\r\n",
    "a space in a name": b"GET / HTTP/1.1\r\n%bX A: 1\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n%b: 1\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n%bX-A\r\n\r\n",
    "a null byte in a value": b"GET / HTTP/1.1\r\n%bX-A: a\x00b\r\n\r\n",
    "a null byte in a name": b"GET / HTTP/1.1\r\n%bX\x00A: b\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\n%b\r\n\r\n",
    "a line feed in a header": b"GET / HTTP/1.1\r\n%bX-A: 1\nX-B: 2\r\n\r\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\n%bX-A: 1\rX-B: 2\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\n%b\r\n",
    "a tab": b"GET\t/ HTTP/1.1\r\n%b\r\n",
    "a trailing space": b"GET / HTTP/1.1 \r\n%b\r\n",
    "a leading space": b" GET / HTTP/1.1\r\n%b\r\n",
    "a small method": b"get / HTTP/1.1\r\n%b\r\n",
    "no version": b"GET /\r\n%b\r\n",
    "another protocol": b"GET / HTTQ/1.1\r\n%b\r\n",
    "version 2 in words": b"GET / HTTP/2.0\r\n%b\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\n%b\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a fragment": b"GET /#a HTTP/1.1\r\n%b\r\n",
    "raw bytes in the path": b"GET /\xc3\xa9 HTTP/1.1\r\n%b\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n%bHost: b.localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a path without a slash": b"GET index.html HTTP/1.1\r\n%b\r\n",
    "an authority with a user": b"GET http://u@a.localhost/ HTTP/1.1\r\n%b\r\n",
    "an asterisk": b"GET * HTTP/1.1\r\n%b\r\n",
    "an unknown expectation": b"POST / HTTP/1.1\r\n%bExpect: a-miracle\r\n\r\n",
}

REFUSALS = re.compile(rb"HTTP/1\.1 (400|417|431|505) ")


@pytest.fixture(params=["static", "server"])
async def edge_of_both(edge: Edge, request: pytest.FixtureRequest) -> Edge:
    if request.param == "static":
        put_release(edge.home, "depl_1", {"index.html": b"home", "smuggled.html": b"stolen"})
    else:
        put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    return edge


@pytest.mark.anyio
@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_request_is_refused_and_ends_the_connection(edge: Edge, case: str):
    put_release(edge.home, "depl_1", {"index.html": b"home", "smuggled.html": b"stolen"})
    edge.switch("depl_1")
    request = MALFORMED[case].replace(b"%b", HOST)

    answer = await raw(edge.port, request + SMUGGLED)

    assert REFUSALS.match(answer), answer
    assert len(re.findall(rb"HTTP/1\.1 [0-9]", answer)) == 1
    assert b"stolen" not in answer
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.anyio
async def test_a_body_that_nobody_reads_is_never_taken_for_a_request(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"home", "smuggled.html": b"stolen"})
    edge.switch("depl_1")
    for method in ("GET", "POST"):
        answer = await raw(edge.port, head("/", method=method, body=SMUGGLED) + SMUGGLED * 2)
        assert answer.count(b"HTTP/1.1") == 1
        assert b"stolen" not in answer


@pytest.mark.anyio
async def test_requests_may_come_in_one_packet_or_byte_by_byte(edge_of_both: Edge):
    one = head("/")
    async with await Client.connect(edge_of_both.port) as client:
        await client.send(one * 5)
        together = [await client.answer() for _ in range(5)]
        for byte in b"\r\n" + one:
            await client.send(bytes([byte]))
        together.append(await client.answer())

    assert [answer.status for answer in together] == [200] * 6


@pytest.mark.anyio
async def test_pipelined_requests_for_large_files_wait_for_the_reader(edge: Edge):
    put_release(edge.home, "depl_1", {"large.bin": b"x" * 3_000_000, "small.txt": b"y"})
    edge.switch("depl_1")
    async with await Client.connect(edge.port) as client:
        await client.send((head("/large.bin") + head("/small.txt")) * 20)
        for _ in range(20):
            assert len((await client.answer()).body) == 3_000_000
            assert (await client.answer()).body == b"y"


@pytest.mark.anyio
async def test_a_client_that_has_sent_everything_gets_all_its_answers(edge: Edge):
    put_release(edge.home, "depl_1", {"large.bin": b"x" * 3_000_000, "small.txt": b"y"})
    edge.switch("depl_1")
    async with await Client.connect(edge.port) as client:
        await client.send((head("/large.bin") + head("/small.txt")) * 3)
        client.writer.write_eof()
        for _ in range(3):
            assert len((await client.answer()).body) == 3_000_000
            assert (await client.answer()).body == b"y"
        assert await client.rest() == b""


@pytest.mark.anyio
async def test_the_full_form_of_an_address_overrides_the_host(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"home"})
    edge.switch("depl_1")

    answer = await fetch(edge.port, "http://a.localhost/", host="b.localhost")

    assert answer.body == b"home"


@pytest.mark.anyio
async def test_an_old_client_is_answered_and_disconnected(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"home"})
    edge.switch("depl_1")

    answer = await raw(edge.port, b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"home")


@pytest.mark.anyio
async def test_a_client_that_wants_to_close_is_let_go(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"home", "large.bin": b"x" * 5_000_000})
    edge.switch("depl_1")

    for path, size in (("/", 4), ("/large.bin", 5_000_000)):
        answer = await raw(edge.port, head(path, connection="close"))
        assert len(answer.partition(b"\r\n\r\n")[2]) == size


@pytest.mark.anyio
async def test_a_client_that_has_sent_everything_still_gets_a_file(edge: Edge):
    put_release(edge.home, "depl_1", {"large.bin": b"x" * 5_000_000})
    edge.switch("depl_1")
    async with await Client.connect(edge.port) as client:
        await client.send(head("/large.bin"))
        client.writer.write_eof()
        assert (await client.rest()).endswith(b"x" * 5_000_000)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES,
        b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\r\n" * 101 + b"\r\n",
    ],
)
async def test_headers_that_are_too_large_are_refused(edge: Edge, request_: bytes):
    assert (await raw(edge.port, request_)).startswith(b"HTTP/1.1 431 ")


# Slow and silent visitors


@pytest.fixture
async def hasty(home: Path):
    edge = Edge(home, patience=Patience(head_seconds=1, idle_seconds=1, linger_seconds=1))
    await edge.start()
    yield edge
    await edge.stop()


@pytest.mark.anyio
async def test_a_visitor_who_sends_a_head_for_ever_is_cut_off(hasty: Edge):
    async with await Client.connect(hasty.port) as client:
        await client.send(b"GET / HTTP/1.1\r\n")
        answer = asyncio.create_task(client.rest())
        while not answer.done():
            client.writer.write(b"X-A: 1\r\n")
            await asyncio.wait({answer}, timeout=0.05)
        assert answer.result().startswith(b"HTTP/1.1 408 ")


@pytest.mark.anyio
async def test_a_visitor_who_says_nothing_is_let_go(hasty: Edge):
    async with await Client.connect(hasty.port) as client:
        assert await client.rest() == b""


@pytest.mark.anyio
async def test_a_visitor_who_keeps_sending_an_unwanted_body_is_cut_off(hasty: Edge):
    put_release(hasty.home, "depl_1", {"index.html": b"home"})
    hasty.switch("depl_1")
    async with await Client.connect(hasty.port) as client:
        await client.send(head("/", method="POST", content_length="1000000000"))
        assert (await client.answer()).status == 405
        with pytest.raises(ConnectionError):
            await _send_for_ever(client)


async def _send_for_ever(client: Client) -> None:
    while True:
        await client.send(b"x" * 65536)
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_too_many_visitors_are_told_so(home: Path):
    edge = Edge(home, max_connections=2)
    await edge.start()
    clients = [await Client.connect(edge.port) for _ in range(3)]
    answer = await clients[2].rest()
    for client in clients:
        await client.close()
    await edge.stop()

    assert answer.startswith(b"HTTP/1.1 503 ")


# Properties


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(noise: bytes):
    with suppress(Refused):
        check_start(noise)
        parse(noise)


_TOKENS = st.sampled_from(
    (
        *(b"GET ", b"POST ", b"/", b" HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n", b"\n", b"\r"),
        *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"X: y\r\n"),
        *(b":", b" ", b"\t", b"\x00"),
    )
)


@given(st.lists(_TOKENS, max_size=12))
def test_what_is_accepted_has_exactly_one_framing_and_one_host(pieces: list[bytes]):
    message = b"".join(pieces)
    try:
        request = parse(message)
    except Refused:
        return
    names = [name for name, _ in request.fields]
    assert names.count(b"host") <= 1
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert not re.search(rb"[^\r]\n|\r[^\n]", message)


_FILES = ("index.html", "about.html", "a/index.html", "a/b.txt", "..x/y", "c d.txt")
_SITE = Site(deployment="depl_1", kind="static", files={name: File("0" * 64, 1) for name in _FILES})
_PARTS = st.sampled_from(
    (
        *("/", "//", ".", "..", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%00", "%c0%ae", "%", "%252e"),
        *("a", "b.txt", "about", "about.html", "index.html", "c%20d.txt", "..x", "y", "site.json"),
    )
)


@given(st.lists(_PARTS, max_size=10).map("".join) | st.text(max_size=30))
def test_no_path_leads_out_of_the_release(path: str):
    release = Release(Path("/home/releases/depl_1"), _SITE, Tally())
    found = release.resolve(b"/" + path.encode())

    if isinstance(found, Found):
        inside = "/home/releases/depl_1/files/"
        assert all(v.path.removeprefix(inside) in _FILES for v in found.variants.values())
    if isinstance(found, Moved):
        assert re.fullmatch(rb"/(?:[^/\\\s].*)?", found.location)


@given(st.text(min_size=1, max_size=40))
def test_encoding_a_name_and_decoding_it_gives_the_name_or_nothing(name: str):
    try:
        encoded = paths.encode(name)
    except UnicodeEncodeError:
        return
    decoded = paths.decode(encoded)
    import unicodedata

    assert decoded is None or decoded == unicodedata.normalize("NFC", name.lstrip("/"))


@given(st.binary(max_size=40), st.integers(0, 100))
def test_a_range_lies_inside_the_file_or_is_refused(value: bytes, size: int):
    for header in (value, b"bytes=" + value):
        try:
            span = byte_range(header, size)
        except ValueError:
            continue
        if span is not None:
            first, count = span
            assert 0 <= first < size
            assert 0 < count <= size - first


@given(st.binary(max_size=200))
def test_any_accept_encoding_ends_with_identity(accept: bytes):
    assert encodings(accept)[-1] == b""


@given(st.binary(max_size=60))
def test_only_the_tag_itself_or_a_star_means_unchanged(value: bytes):
    if is_unchanged(value, b'"tag"'):
        assert b'"tag"' in value or value.strip() == b"*"


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("assets/app-BkqR3xw0.js", True),
        ("main.3f9a2c1d.css", True),
        ("main.3f9a2c1d.chunk.js.map", True),
        ("static/media/logo.5d5d9eefa31e5e13a6610d9fa7a283bb.svg", True),
        ("app-5KZP3XKQ.js", True),
        ("index.html", False),
        ("my-favorite.png", False),
        ("about-JavaScript.png", False),
        ("photo-20240101.jpg", False),
        ("photo-Summer2024.jpg", False),
        ("DSC00012.jpg", False),
        ("jquery-3.7.1.min.js", False),
        ("bootstrap.bundle.min.js", False),
        ("deadbeef", False),
    ],
)
def test_only_names_that_change_with_their_content_are_taken_for_hashed(name: str, hashed: bool):
    assert paths.is_hashed(name) is hashed
