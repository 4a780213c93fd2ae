"""Reads a tar stream member by member, holding no more than one header in memory.

`tarfile` decodes the 512-byte headers; the walk is ours because its own reads extended headers of
any size into memory, cannot tell a cut-off archive from a complete one, and parses PAX records
with expressions that take quadratic time in the Python of Debian 12.
"""

import tarfile
from typing import Protocol

from windlass.adapters.archive_members import (
    ArchiveDamaged,
    ArchiveUnsupported,
    Intake,
    SparseFile,
)
from windlass.core.manifest import shown
from windlass.core.reading import SpecialFile

_BLOCK = 512
_HEADER_BYTES = 1 << 20
_SPECIAL = {
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "named pipe",
}
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class Stream(Protocol):
    """The unpacked bytes of the archive."""

    def read(self, size: int, /) -> bytes: ...


def read(stream: Stream, intake: Intake) -> None:
    """Give every member to the intake; ArchiveDamaged unless the end mark is reached."""
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    while True:
        block = _exactly(stream, _BLOCK)
        if not any(block):
            return
        header = _header(block)
        if header.type == tarfile.XGLTYPE:
            shared |= _pax(_extended(stream, header))
        elif header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            own |= _pax(_extended(stream, header))
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            own["path"] = _text(_extended(stream, header))
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            own["linkpath"] = _text(_extended(stream, header))
        else:
            _member(stream, intake, header, shared | own)
            own = {}


def _member(stream: Stream, intake: Intake, header: tarfile.TarInfo, pax: dict[str, str]) -> None:
    path = pax.get("path", header.name)
    target = pax.get("linkpath", header.linkname)
    if header.type in _SPECIAL:
        raise SpecialFile(path=shown(path), kind=_SPECIAL[header.type])
    if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in pax):
        raise SparseFile(path=shown(path))
    if header.type == tarfile.DIRTYPE:
        intake.folder(path)
    elif header.type == tarfile.SYMTYPE:
        intake.link(path, target)
    elif header.type == tarfile.LNKTYPE:
        intake.hard_link(path, target)
    elif header.type in _FILES and not path.endswith("/"):
        size = _number(pax["size"]) if "size" in pax else header.size
        executable = bool(header.mode & 0o100)
        intake.file(path, size=size, executable=executable, read=stream.read)
        _exactly(stream, -size % _BLOCK)
    else:
        kind = header.type.decode("latin-1")
        fix = "Make the archive with GNU tar, bsdtar or git archive."
        raise ArchiveUnsupported(path=shown(path), feature=f"tar type {kind!r}", fix=fix)


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise ArchiveDamaged(detail="a header does not match its checksum") from error
    if header.size < 0:
        raise ArchiveDamaged(detail="a size is negative")
    return header


def _extended(stream: Stream, header: tarfile.TarInfo) -> bytes:
    if header.size > _HEADER_BYTES:
        raise ArchiveDamaged(detail="an extended header is larger than 1 MiB")
    content = _exactly(stream, header.size)
    _exactly(stream, -header.size % _BLOCK)
    return content


def _pax(content: bytes) -> dict[str, str]:
    """The records "length key=value\\n" of POSIX.1-2001."""
    records: dict[str, str] = {}
    at = 0
    while at < len(content) and content[at]:
        space = content.find(b" ", at, at + 9)
        length = _number(content[at:space].decode("latin-1")) if space > 0 else 0
        record = content[at : at + length]
        key, equals, value = record[space + 1 - at : -1].partition(b"=")
        if length > len(content) - at or not record.endswith(b"\n") or not equals:
            raise ArchiveDamaged(detail="a PAX record is malformed")
        records[_text(key)] = value.decode("utf-8", "surrogateescape")
        at += length
    return records


def _number(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise ArchiveDamaged(detail="a PAX record holds a malformed number")
    return int(digits)


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _exactly(stream: Stream, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = stream.read(size - len(content))
        if not more:
            raise ArchiveDamaged(detail="it ends before its end mark")
        content += more
    return content
