"""Archives that leave their folder, explode or lie: each its own error (C-132, C-147)."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from tests.inputs.archives import FILES, PRESS, member, tar, tar_of, zip_member, zip_of
from tests.inputs.conftest import Unpacked
from windlass.adapters.archive_members import (
    ArchiveBomb,
    ArchiveDamaged,
    ArchiveEmpty,
    ArchiveEncrypted,
    ArchiveOverlap,
    ArchiveUnknown,
    ArchiveUnsupported,
    CaseClash,
    HardLinkLeaves,
    SparseFile,
)
from windlass.core.errors import AppError
from windlass.core.manifest import (
    DuplicatePath,
    FileTooLarge,
    LinkLeaves,
    LinkLoops,
    PathClash,
    PathRefused,
    TooManyFiles,
    TreeTooLarge,
)
from windlass.core.reading import SpecialFile

BAD_PATHS = ["../x", "a/../../x", "/etc/passwd", "C:/x", "C:\\x", "a\\..\\..\\x", "a\nb", "．．/x"]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_path_that_leaves_is_refused(
    unpacked: Unpacked, make: Callable[[dict[str, bytes]], bytes], path: str
) -> None:
    with pytest.raises(PathRefused):
        unpacked(make({"fine": b"", path: b"evil"}))


def test_a_folder_that_leaves_is_refused(unpacked: Unpacked) -> None:
    for name in ("../", "a/../..", "/etc"):
        with pytest.raises(PathRefused):
            unpacked(tar(member("a", b""), member(name, type=tarfile.DIRTYPE)))


def test_a_name_cut_at_nul_does_not_pass(unpacked: Unpacked) -> None:
    with pytest.raises(PathRefused):
        unpacked(zip_of({"good.txt0../evil": b""}).replace(b"txt0..", b"txt\0.."))


@pytest.mark.parametrize(
    "links",
    [
        [("a", "../x")],
        [("a", "/etc/passwd")],
        [("d/a", "../../x")],
        [("a", "b"), ("b", "..")],
        [("d/dot", "."), ("d/a", "dot/../../x")],
    ],
)
def test_a_link_that_leaves_is_refused(unpacked: Unpacked, links: list[tuple[str, str]]) -> None:
    members = [member(name, type=tarfile.SYMTYPE, linkname=to) for name, to in links]

    with pytest.raises(LinkLeaves):
        unpacked(tar(member("file", b"x"), *members))


def test_a_file_below_a_link_is_refused(unpacked: Unpacked) -> None:
    link = member("a", type=tarfile.SYMTYPE, linkname=".")

    with pytest.raises(PathClash):
        unpacked(tar(link, member("a/b", b"x")))


def test_links_in_a_circle_are_refused(unpacked: Unpacked) -> None:
    ring = [member(a, type=tarfile.SYMTYPE, linkname=b) for a, b in ("ab", "bc", "ca")]

    with pytest.raises(LinkLoops):
        unpacked(tar(*ring))


@pytest.mark.parametrize("target", ["missing", "../x", "/etc/passwd", "later"])
def test_a_hard_link_to_outside_is_refused(unpacked: Unpacked, target: str) -> None:
    link = member("a", type=tarfile.LNKTYPE, linkname=target)

    with pytest.raises((HardLinkLeaves, PathRefused)):
        unpacked(tar(link, member("later", b"x")))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_refused(unpacked: Unpacked, kind: bytes) -> None:
    with pytest.raises(SpecialFile):
        unpacked(tar(member("a", type=kind)))


def test_a_device_in_a_zip_is_refused(unpacked: Unpacked) -> None:
    with pytest.raises(SpecialFile):
        unpacked(zip_member("null", b"", 0o020666))


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["a", "a"], DuplicatePath),
        (["a", "./a"], DuplicatePath),
        (["a", "a/b"], PathClash),
        (["a/b", "a"], PathClash),
        (["Read.md", "README.md"], None),
        (["Readme.md", "README.md"], CaseClash),
        (["straße", "STRASSE"], CaseClash),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_clash_are_refused(
    unpacked: Unpacked, names: list[str], error: type[AppError] | None
) -> None:
    archives = [tar(*(member(name, b"x") for name in names))]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    for content in [*archives, buffer.getvalue()]:
        if error is None:
            assert len(unpacked(content)) == len(names)
        else:
            with pytest.raises(error):
                unpacked(content)


def test_a_folder_and_a_file_of_one_name_are_refused(unpacked: Unpacked) -> None:
    folder, file = member("a", type=tarfile.DIRTYPE), member("a", b"x")
    for order in ([folder, file], [file, folder]):
        with pytest.raises(PathClash):
            unpacked(tar(*order))


@pytest.mark.parametrize("press", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_bomb_is_refused(unpacked: Unpacked, press: Callable[[bytes], bytes]) -> None:
    bomb = press(tar_of({"zeros": bytes(40 << 20)}))

    with pytest.raises(ArchiveBomb) as caught:
        unpacked(bomb)

    assert "200 times" in caught.value.message
    assert caught.value.status == 413


def test_a_bomb_after_the_end_mark_is_refused(unpacked: Unpacked) -> None:
    with pytest.raises(ArchiveBomb):
        unpacked(gzip.compress(tar_of({"a": b""}) + bytes(40 << 20)))


def test_a_zip_bomb_is_refused_by_what_it_claims(unpacked: Unpacked) -> None:
    with pytest.raises(ArchiveBomb):
        unpacked(zip_of({"zeros": bytes(40 << 20)}))


def test_zip_members_that_share_bytes_are_refused(unpacked: Unpacked) -> None:
    archive = bytearray(zip_of({"a": b"x" * 100, "b": b"y" * 100}, method=0))
    second = archive.rfind(b"PK\1\2")
    struct.pack_into("<L", archive, second + 42, 0)

    with pytest.raises(ArchiveOverlap):
        unpacked(bytes(archive))


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_the_limits_are_named(
    unpacked: Unpacked, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    archive = make({str(number): bytes(600) for number in range(20)})

    with pytest.raises(TooManyFiles, match="more than 10 files"):
        unpacked(archive, files=10)
    with pytest.raises(TreeTooLarge, match=r"larger than 1000 bytes together \(1.2 KiB"):
        unpacked(archive, total_bytes=1000)
    with pytest.raises(FileTooLarge, match=r"larger than 500 bytes \(600 bytes\)"):
        unpacked(archive, file_bytes=500)


def test_a_directory_with_too_many_members_is_refused_before_it_is_read(
    unpacked: Unpacked,
) -> None:
    folders = {f"{number}/": b"" for number in range(30)}
    with pytest.raises(TooManyFiles):
        unpacked(zip_of(folders), files=10)
    with pytest.raises(TooManyFiles):
        unpacked(tar(*(member(f, type=tarfile.DIRTYPE) for f in folders)), files=10)


def test_an_extended_header_of_many_megabytes_is_refused(unpacked: Unpacked) -> None:
    header = member("x", bytes(2 << 20), type=tarfile.XHDTYPE)[0].tobuf()

    with pytest.raises(ArchiveDamaged, match="1 MiB"):
        unpacked(header + bytes(3 << 20))


def test_an_xz_header_that_asks_for_gigabytes_is_refused(unpacked: Unpacked) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    try:
        archive = lzma.compress(tar_of({"a": b"x" * 5000}), filters=filters)
    except MemoryError:
        pytest.skip("not enough memory to make such an archive")

    with pytest.raises(ArchiveUnsupported, match="memory"):
        unpacked(archive)


def test_sparse_encrypted_and_strangely_compressed_members_are_refused(
    unpacked: Unpacked,
) -> None:
    with pytest.raises(SparseFile):
        unpacked(tar(member("a", pax_headers={"GNU.sparse.major": "1"})))
    with pytest.raises(SparseFile):
        unpacked(tar(member("a", type=tarfile.GNUTYPE_SPARSE), form=tarfile.GNU_FORMAT))
    with pytest.raises(ArchiveUnsupported, match="bzip2"):
        unpacked(zip_of({"a": b"x"}, method=zipfile.ZIP_BZIP2))
    with pytest.raises(ArchiveUnsupported, match="tar type"):
        unpacked(tar(member("a", type=b"V")))
    encrypted = bytearray(zip_of({"a": b"x"}))
    encrypted[6] |= 1
    encrypted[encrypted.rfind(b"PK\1\2") + 8] |= 1
    with pytest.raises(ArchiveEncrypted, match="without a password"):
        unpacked(bytes(encrypted))


def test_a_wrong_checksum_is_noticed(unpacked: Unpacked) -> None:
    stored = zip_of({"a": b"content" * 10}, method=0)
    with pytest.raises(ArchiveDamaged):
        unpacked(stored.replace(b"contentcontent", b"contentc0ntent"))
    pressed = bytearray(gzip.compress(tar_of(FILES)))
    pressed[-6] ^= 1
    with pytest.raises(ArchiveDamaged):
        unpacked(bytes(pressed))
    header = bytearray(tar_of(FILES))
    header[3] ^= 1
    with pytest.raises(ArchiveDamaged, match="checksum"):
        unpacked(bytes(header))


@pytest.mark.parametrize("kind", [*PRESS, "zip"])
def test_an_archive_cut_anywhere_is_refused(unpacked: Unpacked, kind: str) -> None:
    plain = tar_of({"a": b"x" * 700, "b": bytes(range(256))})
    end = len(plain.rstrip(b"\0")) // 512 * 512 + 512
    whole = PRESS[kind](plain) if kind in PRESS else zip_of({"a": b"x" * 700, "b": b"y"})
    last = end if kind == "tar" else len(whole) - 1
    for length in sorted({*range(0, last, 97), 512 % last, last}):
        with pytest.raises((ArchiveDamaged, ArchiveUnknown)):
            unpacked(whole[:length])


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ArchiveUnknown),
        (b"hello", ArchiveUnknown),
        (bytes(10240), ArchiveUnknown),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), ArchiveUnknown),
        (b"\x28\xb5\x2f\xfd" + bytes(100), ArchiveUnknown),
        (gzip.compress(b"only text", mtime=0), ArchiveDamaged),
        (zip_of({}), ArchiveEmpty),
        (zip_of({"folder/": b""}), ArchiveEmpty),
    ],
)
def test_what_is_no_archive_or_empty_is_told(
    unpacked: Unpacked, content: bytes, error: type[AppError]
) -> None:
    with pytest.raises(error):
        unpacked(content)
