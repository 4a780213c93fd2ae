"""Reads a zip archive; what its directory claims is checked before anything is unpacked."""

import errno
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

from windlass.adapters.archive_members import (
    ArchiveDamaged,
    ArchiveEncrypted,
    ArchiveOverlap,
    ArchiveUnsupported,
    Intake,
)
from windlass.core.manifest import check_count, shown
from windlass.core.reading import SpecialFile

_UTF8 = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UNIX = 3
_LINK_BYTES = 4096
_LOCAL_HEADER = 30
_END_BYTES = 22 + 0xFFFF
_END64_BYTES = 56 + 20
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}


def read(raw: BinaryIO, intake: Intake) -> None:
    """Give every member to the intake."""
    try:
        _check_directory_size(raw, 2 * intake.limits.files)
        with zipfile.ZipFile(raw) as archive:
            members = archive.infolist()
            _check_overlaps(raw, members, archive.start_dir)
            for member in members:
                _member(archive, member, intake)
    except zipfile.BadZipFile as error:
        raise ArchiveDamaged(detail=_lower(str(error))) from error
    except (zlib.error, EOFError, struct.error, UnicodeError, ValueError) as error:
        raise ArchiveDamaged(detail="its content cannot be unpacked") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ArchiveDamaged(detail="it points to before its own start") from error
    except NotImplementedError as error:
        raise ArchiveDamaged(detail="it needs a newer version of zip") from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, intake: Intake) -> None:
    path = _name(member)
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveEncrypted(path=shown(path))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(member.compress_type, str(member.compress_type))
        fix = "Make the archive with the usual method, Deflate."
        raise ArchiveUnsupported(path=shown(path), feature=f"compression {method}", fix=fix)
    mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
    if path.endswith("/"):
        return intake.folder(path)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFLNK):
        raise SpecialFile(path=shown(path), kind="device, pipe or socket")
    with archive.open(member) as content:
        if stat.S_ISLNK(mode):
            target = content.read(_LINK_BYTES).decode("utf-8", "surrogateescape")
            return intake.link(path, target)
        executable = bool(mode & 0o100)
        intake.file(path, size=member.file_size, executable=executable, read=content.read)
        content.read(1)  # the end is where zipfile compares the checksum
    return None


def _name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: `filename` is cut at NUL, and macOS forgets the UTF-8 flag."""
    name = member.orig_filename
    if member.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _check_directory_size(raw: BinaryIO, most_members: int) -> None:
    """Count before `zipfile` makes an object of each member."""
    size = raw.seek(0, 2)
    raw.seek(max(0, size - _END_BYTES - _END64_BYTES))
    tail = raw.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        raise ArchiveDamaged(detail="its end record is missing")
    directory_bytes: int = struct.unpack_from("<L", tail, at + 12)[0]
    if tail[max(0, at - 20) :].startswith(b"PK\6\7") and at >= _END64_BYTES:
        directory_bytes = struct.unpack_from("<Q", tail, at - _END64_BYTES + 40)[0]
    if directory_bytes > size:
        raise ArchiveDamaged(detail="its directory is larger than the archive")
    found = 0
    raw.seek(max(0, size - len(tail) + at - _END64_BYTES - directory_bytes))
    while chunk := raw.read(1 << 20):
        found += chunk.count(b"PK\1\2")
        check_count(found, most_members)


def _check_overlaps(raw: BinaryIO, members: list[zipfile.ZipInfo], start_dir: int) -> None:
    """Every member has bytes of its own, otherwise a small file can claim them many times over."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    for at, member in enumerate(ordered):
        last = at + 1 == len(ordered)
        end = start_dir if last else ordered[at + 1].header_offset
        raw.seek(member.header_offset)
        header = raw.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\3\4"):
            raise ArchiveDamaged(detail=f"the entry of {shown(_name(member))} is missing")
        name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
        data = member.header_offset + _LOCAL_HEADER + name_bytes + extra_bytes
        if data + member.compress_size > end:
            other = "the directory" if last else _name(ordered[at + 1])
            raise ArchiveOverlap(path=shown(_name(member)), other=shown(other))


def _lower(text: str) -> str:
    return shown(text[:1].lower() + text[1:])
