"""Sockets inside the network of another process, made from outside.

A socket belongs to the network its maker was in when it was made, so it is enough to be there for
that moment: nothing has to run inside, and nothing inside has to know. Needs root.
"""

import asyncio
import ctypes
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_CLONE_NEWNET = 0x40000000


class CannotEnter(OSError):
    """The network of a process cannot be entered from here."""


class Network:
    """The network of a container's first process, held open until `close`."""

    def __init__(self, pid: int, *, container: str) -> None:
        """Raises CannotEnter. `container` is the engine's id of it: a number may have passed on."""
        if pid <= 0 or not _is_of(pid, container):
            raise CannotEnter(f"process {pid} is not the container's")
        try:
            self._fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CannotEnter(str(error)) from error
        # Looked at again: between the two the process may have ended.
        if not _is_of(pid, container):
            self.close()
            raise CannotEnter(f"process {pid} has ended")

    def listen(self, host: str, port: int) -> socket.socket:
        """A listener at a loopback address inside. Raises OSError."""
        made = self._socket()
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, port))
            made.listen(256)
        except OSError:
            made.close()
            raise
        return made

    async def dial(self, port: int) -> socket.socket:
        """A connected non-blocking socket to 127.0.0.1 inside. Raises OSError."""
        made = self._socket()
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Let go of it; the kernel removes it with its last process."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _socket(self) -> socket.socket:
        if self._fd < 0:
            raise CannotEnter("the container has ended")
        with _inside(self._fd):
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        return made


@cache
def can_enter() -> bool:
    """Whether this process may make sockets in other networks: tried with its own."""
    try:
        with open("/proc/self/ns/net") as own, _inside(own.fileno()):
            return True
    except OSError:
        return False


def _is_of(pid: int, container: str) -> bool:
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


@contextmanager
def _inside(network: int) -> Generator[None]:
    """This thread alone, for one system call or two."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(network)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _enter(network: int) -> None:
    if _libc().setns(network, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise CannotEnter(number, os.strerror(number))
