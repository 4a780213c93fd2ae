"""A sandbox whose first process was taken over may say anything; none of it is believed."""

import array
import asyncio
import os
import socket

import pytest

from windlass.core.launch_control import Control

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ends():
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    control = Control(near)
    yield control, far
    control.close()
    far.close()


def send(far: socket.socket, message: bytes, *fds: int) -> None:
    far.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def open_count() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_the_first_message_tells_the_senders_pid_as_the_kernel_knows_it(ends):
    control, far = ends
    with socket.create_server(("127.0.0.1", 0)) as listener:
        send(far, b"hello", listener.fileno())
        pid, listeners = await control.hello

    assert pid == os.getpid()
    assert len(listeners) == 1
    listeners[0].close()


async def test_descriptors_nobody_asked_for_are_closed(ends):
    control, far = ends
    far.send(b"hello")
    await control.hello
    before = open_count()
    reading, writing = os.pipe()
    for message in (
        b"hello",
        b"dialed 1 0",
        b"dialed x y",
        b"exit",
        b"exit -1 0",
        b"\xff" * 200,
        b" ",
    ):
        send(far, message, reading, writing)
    os.close(reading)
    os.close(writing)
    control.read()

    assert open_count() == before


@pytest.mark.parametrize("kind", ["pipe", "unix", "udp", "none", "two"])
async def test_a_dial_is_answered_only_by_one_tcp_socket(ends, kind):
    control, far = ends
    before = open_count()
    dialing = asyncio.create_task(control.dial(3000))
    await asyncio.sleep(0)
    reading, writing = os.pipe()
    unix = socket.socket(socket.AF_UNIX)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket()
    fds = {"pipe": [reading], "unix": [unix.fileno()], "udp": [udp.fileno()], "none": []}
    send(far, b"dialed 1 0", *fds.get(kind, [tcp.fileno(), tcp.fileno()]))

    with pytest.raises(ConnectionRefusedError):
        await dialing
    os.close(reading)
    os.close(writing)
    for sock in (unix, udp, tcp):
        sock.close()
    assert open_count() == before


async def test_whoever_waits_is_told_when_the_sandbox_ends(ends):
    control, far = ends
    dialing = asyncio.create_task(control.dial(3000))
    await asyncio.sleep(0)
    far.close()

    with pytest.raises(ConnectionResetError):
        await dialing
    with pytest.raises(OSError, match="Bad file descriptor"):
        await control.dial(3000)


async def test_an_exit_that_is_too_large_does_no_harm(ends):
    control, far = ends
    far.send(b"exit 99999999999999999999 1")
    control.read()

    assert control.ended == (99999999999999999999 & 0xFFFF, True)
