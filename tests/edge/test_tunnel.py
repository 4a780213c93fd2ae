"""WebSockets: passed through as they are, and ended with a close frame when their process ends."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.client import Client, fetch, head
from tests.edge.running import Edge, eventually, put_app
from tests.edge.test_apps import control, state

from windlass.edge.tunnel import GOING_AWAY, RESTART, Frames, close_frame

pytestmark = pytest.mark.anyio
COME_BACK = b"\x88\x02\x03\xf4"
GOES = b"\x88\x02\x03\xe9"


def frame(payload: bytes, *, opcode: int = 1, mask: bytes = b"") -> bytes:
    size = len(payload)
    flag = 0x80 if mask else 0
    if size < 126:
        length = bytes((flag | size,))
    elif size < 65536:
        length = bytes((flag | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((flag | 127,)) + size.to_bytes(8, "big")
    return bytes((0x80 | opcode,)) + length + mask + payload


frames = st.lists(
    st.builds(
        frame,
        st.integers(0, 70_000).map(bytes),
        opcode=st.sampled_from((0, 1, 2, 9, 10)),
        mask=st.sampled_from((b"", b"abcd")),
    ),
    max_size=5,
)


@given(frames, st.lists(st.integers(0, 200_000), max_size=12))
def test_frames_are_followed_wherever_they_are_cut(sent: list[bytes], cuts: list[int]):
    whole = b"".join(sent)
    ends = {0}
    for one in sent:
        ends.add(max(ends) + len(one))
    seen = Frames()
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for start, end in pairwise(edges):
        seen.feed(whole[start:end])
        assert seen.is_between == (end in ends)
    assert not seen.is_closed


def test_after_a_close_frame_nothing_may_follow():
    for is_masked in (True, False):
        seen = Frames()
        seen.feed(close_frame(RESTART, is_masked=is_masked))
        assert seen.is_closed
        assert not seen.is_between
    assert close_frame(RESTART, is_masked=False) == COME_BACK
    assert close_frame(GOING_AWAY, is_masked=False) == GOES


async def opened(edge: Edge) -> Client:
    client = await Client.connect(edge.port)
    await client.send(head("/websocket", connection="Upgrade", upgrade="websocket"))
    assert (await client.answer_head()).status == 101
    return client


async def test_a_switch_ends_websockets_with_a_close_frame_after_the_drain_time(edge: Edge):
    put_app(edge.home, "depl_1", drain_seconds=0.2)
    put_app(edge.home, "depl_2")
    edge.switch("depl_1")
    clients = [await opened(edge) for _ in range(3)]
    message = frame(b"hello", mask=b"abcd")
    await clients[0].send(message)
    assert await clients[0].reader.readexactly(len(message)) == message

    edge.switch("depl_2")
    await control(edge, "POST", "/refresh")

    assert [await client.rest() for client in clients] == [COME_BACK] * 3
    for client in clients:
        await client.close()
    await eventually(lambda: state(edge, "depl_1") is None)


async def test_a_frame_that_is_under_way_is_not_cut_by_ours(edge: Edge):
    put_app(edge.home, "depl_1", drain_seconds=0)
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    client = await opened(edge)
    half = frame(b"x" * 100, mask=b"abcd")[:50]
    await client.send(half)
    assert await client.reader.readexactly(50) == half

    assert (await control(edge, "POST", "/stop", deployment="depl_1"))[0] == 200

    # Nothing but what the app itself still said: a close frame would have been taken for text.
    assert COME_BACK not in await client.rest()
    await client.close()


async def test_an_edge_that_ends_says_goodbye(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    client = await opened(edge)

    ending = asyncio.create_task(edge.server.drain(60))

    assert await client.rest() == GOES
    await client.close()
    await ending
