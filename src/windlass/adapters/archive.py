"""Archives that nobody vouches for: one function turns them into stored blobs and a manifest."""

import bz2
import gzip
import lzma
import zlib
from pathlib import Path
from typing import BinaryIO

from windlass.adapters import archive_tar, archive_zip
from windlass.adapters.archive_members import (
    CHUNK,
    ArchiveDamaged,
    ArchiveUnknown,
    ArchiveUnsupported,
    Intake,
)
from windlass.core.blobs import BlobStore
from windlass.core.manifest import DEFAULT_LIMITS, Manifest, TreeLimits, check_total

_XZ_MEMORY = 256 << 20
"""`xz -9` needs 65 MiB to unpack; a header may ask for 4 GiB."""

_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "is a 7-Zip archive",
    b"Rar!\x1a\x07": "is a RAR archive",
    b"\x28\xb5\x2f\xfd": "is compressed with Zstandard",
    b"\x1f\x9d": "is compressed with compress",
    b"MZ": "is a Windows program",
    b"%PDF": "is a PDF document",
    b"<": "looks like a web page",
}


def unpack(archive: Path, into: BlobStore, *, limits: TreeLimits = DEFAULT_LIMITS) -> Manifest:
    """The manifest of a tar, tar.gz, tar.bz2, tar.xz or zip, its content stored. Blocks.

    What it is is told by its first bytes, not by its name. A folder that wraps everything is left
    out. On any error (an AppError that says which rule and which path) nothing was stored.
    """
    with archive.open("rb") as raw, into.batch() as batch:
        intake = Intake(batch, limits, archive.stat().st_size)
        start = raw.read(1024)
        raw.seek(0)
        if start.startswith((b"PK\3\4", b"PK\5\6")):
            archive_zip.read(raw, intake)
        else:
            stream = _Meter(_unpressed(raw, start), intake)
            archive_tar.read(stream, intake)
            stream.drain()
        return intake.manifest()


def _unpressed(raw: BinaryIO, start: bytes) -> "BinaryIO | gzip.GzipFile | bz2.BZ2File | _Xz":
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw, mode="rb")
    if start.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if start.startswith(b"\xfd7zXZ\0"):
        return _Xz(raw)
    # A header's checksum is six octal digits; "ustar" is missing in archives of the oldest kind.
    if start[257:262] == b"ustar" or (len(start) == 1024 and start[148:154].strip().isdigit()):
        return raw
    if not start:
        raise ArchiveUnknown(found="is empty")
    if start == bytes(len(start)):
        raise ArchiveUnknown(found="holds only zeros")
    found = next((text for magic, text in _FOREIGN.items() if start.startswith(magic)), None)
    raise ArchiveUnknown(found=found or "begins like none of them")


class _Meter:
    """The unpacked stream; counts what comes out, so that no amount of it goes unnoticed."""

    def __init__(
        self, inner: "BinaryIO | gzip.GzipFile | bz2.BZ2File | _Xz", intake: Intake
    ) -> None:
        self._inner = inner
        self._intake = intake
        self._out = 0
        # Headers and padding come on top of the files.
        self._most = intake.limits.total_bytes + 4096 * intake.limits.files

    def read(self, size: int, /) -> bytes:
        try:
            content = self._inner.read(min(size, CHUNK))
        except EOFError as error:
            raise ArchiveDamaged(detail="its compressed data is cut off") from error
        except (zlib.error, lzma.LZMAError, ValueError) as error:
            raise ArchiveDamaged(detail="its compressed data is wrong") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise ArchiveDamaged(detail="its compressed data is wrong") from error
        self._out += len(content)
        self._intake.check_ratio(self._out)
        check_total(self._out, self._most)
        return content

    def drain(self) -> None:
        """Read to the end: that is where the compressed formats keep their checksum."""
        while self.read(CHUNK):
            pass


class _Xz:
    """As lzma.LZMAFile, with a limit on the memory that a header may ask for."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decompressor = self._new()

    def read(self, size: int, /) -> bytes:
        while True:
            given = b""
            if self._decompressor.eof:
                given = (self._decompressor.unused_data or self._raw.read(CHUNK)).lstrip(b"\0")
                if not given:
                    return b""
                self._decompressor = self._new()
            elif self._decompressor.needs_input:
                given = self._raw.read(1 << 16)
                if not given:
                    raise EOFError
            content = self._unpress(given, size)
            if content:
                return content

    def _unpress(self, given: bytes, size: int) -> bytes:
        try:
            return self._decompressor.decompress(given, size)
        except lzma.LZMAError as error:
            if "emory" in str(error):
                feature = "more than 256 MiB of memory"
                fix = "Compress it with xz -9 or less."
                raise ArchiveUnsupported(path="The archive", feature=feature, fix=fix) from error
            raise

    def _new(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
