"""The supervisor's end of the socket to a sandbox's first process.

Everything after the first message may have been written by a program inside, so nothing that
arrives is trusted beyond its form, and file descriptors nobody asked for are closed.
"""

import array
import asyncio
import contextlib
import errno
import os
import socket
import struct

_MAX_FDS = 253
_CREDENTIALS = struct.Struct("3i")
_DIAL_SECONDS = 5.0
_MESSAGES = 64
Hello = tuple[int, list[socket.socket]]


class Control:
    """Asks for sockets, hears how the command ended. The socket has SO_PASSCRED set."""

    def __init__(self, near: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._near = near
        near.setblocking(False)
        self.hello: asyncio.Future[Hello] = self._loop.create_future()
        self.ended: tuple[int, bool] | None = None
        self._dials: dict[int, asyncio.Future[socket.socket | None]] = {}
        self._count = 0
        self._loop.add_reader(near.fileno(), self.read)

    def go(self) -> None:
        """Let the command start. When nobody is there, the end will tell why."""
        with contextlib.suppress(OSError):
            self._near.send(b"go")

    def terminate(self) -> None:
        """Ask for SIGTERM to the command. OSError when nobody is there."""
        self._near.send(b"term")

    async def dial(self, port: int) -> socket.socket:
        """A connected socket made inside; ConnectionRefusedError and its like when not."""
        self._count += 1
        number = self._count
        answer: asyncio.Future[socket.socket | None] = self._loop.create_future()
        self._dials[number] = answer
        try:
            self._near.send(b"dial %d %d" % (number, port))
            async with asyncio.timeout(_DIAL_SECONDS):
                sock = await answer
                if sock is None:
                    raise ConnectionRefusedError(errno.ECONNREFUSED, "refused inside")
                await self._established(sock)
                return sock
        finally:
            del self._dials[number]

    async def _established(self, sock: socket.socket) -> None:
        """A connection inside a machine is there at once, unless the queue is full."""
        try:
            while True:
                if failed := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(failed, os.strerror(failed))
                try:
                    sock.getpeername()
                except OSError as error:
                    if error.errno != errno.ENOTCONN:
                        raise
                else:
                    return
                await self._writable(sock)
        except BaseException:
            sock.close()
            raise

    async def _writable(self, sock: socket.socket) -> None:
        ready = self._loop.create_future()
        self._loop.add_writer(sock.fileno(), lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_writer(sock.fileno())

    def read(self) -> None:
        """Take in what is there, but not so much that a flood would stop everything else."""
        for _ in range(_MESSAGES):
            if self._near.fileno() < 0:
                return
            space = socket.CMSG_SPACE(_MAX_FDS * 4) + socket.CMSG_SPACE(_CREDENTIALS.size)
            try:
                message, ancillary, _, _ = self._near.recvmsg(256, space, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                message, ancillary = b"", []
            pid, fds = _unpack(ancillary)
            if not message:
                self.close()
                return
            with contextlib.ExitStack() as unclaimed:
                for fd in fds:
                    unclaimed.callback(os.close, fd)
                if self._take(message.split(), pid, fds):
                    unclaimed.pop_all()

    def _take(self, words: list[bytes], pid: int, fds: list[int]) -> bool:
        """Use one message; True when its file descriptors now belong to somebody."""
        match words:
            case [b"hello"] if not self.hello.done():
                self.hello.set_result((pid, [socket.socket(fileno=fd) for fd in fds]))
                return True
            case [b"dialed", number, failed] if number.isdigit() and failed.isdigit():
                waiting = self._dials.get(int(number))
                if waiting and not waiting.done():
                    waiting.set_result(_connection(fds))
            case [b"exit", status, full] if status.isdigit():
                self.ended = (int(status) & 0xFFFF, full != b"0")
            case _:
                pass
        return False

    def close(self) -> None:
        """Nobody is there any more: fail whoever waits."""
        if self._near.fileno() < 0:
            return
        self._loop.remove_reader(self._near.fileno())
        self._near.close()
        self.hello.cancel()
        for waiting in self._dials.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError(errno.ECONNRESET, "it has ended"))


def _unpack(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, list[int]]:
    """The sender's process id as the kernel states it, and the file descriptors handed over."""
    pid, fds = 0, array.array("i")
    for level, kind, content in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_CREDENTIALS:
            pid = int(_CREDENTIALS.unpack(content)[0])
        elif kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return pid, fds.tolist()


def _connection(fds: list[int]) -> socket.socket | None:
    """The one TCP socket that was asked for; None for anything else."""
    if len(fds) != 1:
        return None
    fd = os.dup(fds[0])
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        return None
    if sock.family != socket.AF_INET or sock.type != socket.SOCK_STREAM:
        sock.close()
        return None
    sock.setblocking(False)
    return sock
