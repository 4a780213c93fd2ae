"""Keeps the contents of small files that were asked for, by content hash, within a budget of bytes.

Two releases that share a file share its memory, and a switch invalidates nothing.
"""

import os
from collections import OrderedDict

LARGEST_SHARE = 16


class Contents:
    """A least-recently-used cache of file contents."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        # One file may not push out everything else; larger ones are streamed from the disk.
        self.largest_bytes = budget_bytes // LARGEST_SHARE
        self._bodies: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> bytes | None:
        """The content kept for this key."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def load(self, key: bytes, path: str, size: int) -> bytes:
        """Read a file of exactly `size` bytes and keep it. Raises OSError."""
        body = read(path, size)
        self._bodies[key] = body
        self.used_bytes += size
        while self.used_bytes > self.budget_bytes:
            _, oldest = self._bodies.popitem(last=False)
            self.used_bytes -= len(oldest)
        return body


def read(path: str, size: int) -> bytes:
    """The content of a file of exactly `size` bytes. Raises OSError, also for another size."""
    descriptor = open_file(path, size)
    try:
        body = os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)
    if len(body) != size:
        raise OSError(f"{path} was cut short while it was read")
    return body


def open_file(path: str, size: int) -> int:
    """A descriptor of a file of exactly `size` bytes. Raises OSError, also for another size."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    found = os.fstat(descriptor).st_size
    if found != size:
        # Sending it would break the promised length and with it every later answer.
        os.close(descriptor)
        raise OSError(f"{path} has {found} bytes instead of {size}")
    return descriptor
