"""The wire of `git push`: what is offered, what is asked for, what is reported. Pure.

After gitprotocol-common, gitprotocol-pack and gitprotocol-http of Git: lines carry their length in
four hexadecimal digits, `0000` ends a list, and side-band-64k numbers the streams of an answer (1:
the report, 2: progress).
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import msgspec

from windlass.core.errors import BadRequest

FLUSH = b"0000"
NOTHING = "0" * 40
_CAPABILITIES = "report-status side-band-64k ofs-delta delete-refs push-options agent=windlass"
_BAND_BYTES = 65_515
_MOST_COMMANDS = 20
_MOST_OPTIONS = 20
_COMMAND = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\x00-\x20\x7f]{1,500})\Z")


class PushBroken(BadRequest):
    """That is no push as Git sends it: {detail}"""


class Command(msgspec.Struct, frozen=True):
    """One reference that shall move; NOTHING stands for none."""

    old: str
    new: str
    ref: str

    @property
    def branch(self) -> str | None:
        """The branch it names, if it is one."""
        found = self.ref.removeprefix("refs/heads/")
        return found if found != self.ref else None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants; its pack begins at `offset`."""

    commands: tuple[Command, ...]
    capabilities: frozenset[str]
    options: tuple[str, ...]
    offset: int


def line(text: bytes | str) -> bytes:
    """One pkt-line."""
    content = text.encode() if isinstance(text, str) else text
    return f"{len(content) + 4:04x}".encode() + content


def advertisement(refs: Mapping[str, str]) -> bytes:
    """What is here, and what this side can do; the answer to `info/refs`."""
    shown = sorted(refs.items()) or [("capabilities^{}", NOTHING)]
    (first, sha), *rest = shown
    lines = [line(f"{sha} {first}\0{_CAPABILITIES}\n")]
    lines += [line(f"{sha} {ref}\n") for ref, sha in rest]
    return line("# service=git-receive-pack\n") + FLUSH + b"".join(lines) + FLUSH


def read(file: BinaryIO) -> Request:
    """The commands at the beginning of a request. Raises PushBroken. Blocks."""
    commands: list[Command] = []
    capabilities: frozenset[str] = frozenset()
    for text in _lines(file):
        head, _, said = text.partition("\0")
        if said:
            capabilities = frozenset(said.split())
        head = head.rstrip("\n")
        if head.startswith("shallow "):
            # What a shallow clone lacks is missed when the commits are looked at.
            continue
        if (found := _COMMAND.match(head)) is None:
            raise PushBroken(detail="a command cannot be read")
        commands.append(Command(*found.groups()))
        if len(commands) > _MOST_COMMANDS:
            raise PushBroken(detail=f"more than {_MOST_COMMANDS} references at once")
    options: list[str] = []
    if "push-options" in capabilities:
        options = [text.rstrip("\n") for text in _lines(file)][: _MOST_OPTIONS + 1]
        if len(options) > _MOST_OPTIONS:
            raise PushBroken(detail=f"more than {_MOST_OPTIONS} push options")
    return Request(
        commands=tuple(commands),
        capabilities=capabilities,
        options=tuple(options),
        offset=file.tell(),
    )


def _lines(file: BinaryIO) -> Iterator[str]:
    """Up to the next flush; the end of the file is one, too."""
    while head := file.read(4):
        try:
            length = int(head, 16) if len(head) == 4 else 1
        except ValueError:
            length = 1
        if length == 0:
            return
        content = file.read(length - 4) if length > 4 else b""
        if length <= 4 or len(content) != length - 4:
            raise PushBroken(detail="a line has no proper length")
        yield content.decode("utf-8", "replace")


def progress(text: str) -> bytes:
    """What Git shows behind `remote: `; an empty one says that somebody is still there."""
    content = text.encode("utf-8", "replace")
    parts = range(0, len(content) or 1, _BAND_BYTES)
    return b"".join(line(b"\2" + content[at : at + _BAND_BYTES]) for at in parts)


def report(results: Mapping[str, str | None], *, unpacked: str = "ok", banded: bool) -> bytes:
    """How it went: for each reference None, or the reason why it did not move."""
    lines = [line(f"unpack {unpacked}\n")]
    lines += [
        line(f"ok {ref}\n" if why is None else f"ng {ref} {_one_line(why)}\n")
        for ref, why in results.items()
    ]
    found = b"".join(lines) + FLUSH
    return line(b"\1" + found) + FLUSH if banded else found


def _one_line(text: str) -> str:
    return " ".join(text.split())[:1000]
