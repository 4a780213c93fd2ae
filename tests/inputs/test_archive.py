"""Archives of every kind: what is kept, and every trick by its own error (C-132, C-147)."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windlass.adapters.archive import unpack
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
from windlass.core.blobs import BlobStore
from windlass.core.errors import AppError
from windlass.core.manifest import (
    DuplicatePath,
    EntryRefused,
    FileTooLarge,
    LinkLeaves,
    LinkLoops,
    Manifest,
    PathClash,
    PathRefused,
    TooManyFiles,
    TreeLimits,
    TreeTooLarge,
)
from windlass.core.reading import SpecialFile

FILES = {"site/index.html": b"<h1>hi</h1>", "site/a/b.txt": b"b" * 5000, "site/empty": b""}
PRESS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_of(files: dict[str, bytes]) -> bytes:
    return tar(*(member(name, content) for name, content in files.items()))


def zip_of(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def zip_member(name: str, content: bytes, mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return buffer.getvalue()


@pytest.fixture
def unpacked(store: BlobStore, tmp_path: Path) -> Callable[..., Manifest]:
    def run(content: bytes, **limits: int) -> Manifest:
        path = tmp_path / "upload"
        path.write_bytes(content)
        try:
            return unpack(path, store, limits=TreeLimits(**limits))
        finally:
            assert not list((store.root / "tmp").glob("*/*"))

    return run


Unpacked = Callable[..., Manifest]


def content_of(store: BlobStore, manifest: Manifest) -> dict[str, bytes]:
    return {entry.path: store.read_bytes(entry.sha256) for entry in manifest}


# ------------------------------------------------------------- what is kept


@pytest.mark.parametrize("kind", [*PRESS, "zip", "zip stored"])
def test_every_kind_gives_the_same_tree_without_its_top_folder(
    store: BlobStore, unpacked: Unpacked, kind: str
) -> None:
    if kind in PRESS:
        archive = PRESS[kind](tar_of(FILES))
    else:
        archive = zip_of(FILES, method=0 if "stored" in kind else zipfile.ZIP_DEFLATED)

    found = content_of(store, unpacked(archive))

    assert found == {path.removeprefix("site/"): content for path, content in FILES.items()}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_links_and_modes_are_kept(unpacked: Unpacked, form: int) -> None:
    long = "d" * 90 + "/" + "f" * 90 if form == tarfile.USTAR_FORMAT else "d/" + "é" * 120
    archive = tar(
        member("./", type=tarfile.DIRTYPE),
        member(f"./{long}", b"1", mode=0o755),
        member("./short", b"2"),
        member("./hard", type=tarfile.LNKTYPE, linkname="./short"),
        member("./soft", type=tarfile.SYMTYPE, linkname="hard"),
        form=form,
    )

    manifest = {entry.path: entry for entry in unpacked(archive)}

    assert manifest[long].mode == "exec"
    assert manifest["hard"].sha256 == manifest["short"].sha256
    assert manifest["soft"].target == "hard"


def test_a_large_member_is_streamed_and_concatenated_streams_are_read(
    store: BlobStore, unpacked: Unpacked
) -> None:
    content = bytes(range(256)) * 20_000
    whole = tar_of({"a": content, "b": b"b"})
    for press in (gzip.compress, bz2.compress, lzma.compress):
        archive = press(whole[:1_000_000]) + press(whole[1_000_000:])
        assert content_of(store, unpacked(archive)) == {"a": content, "b": b"b"}


def test_a_zip_keeps_executables_links_and_names_without_the_utf8_flag(
    store: BlobStore, unpacked: Unpacked
) -> None:
    assert unpacked(zip_member("run", b"#!", 0o100755))[0].mode == "exec"
    with pytest.raises(LinkLeaves):
        unpacked(zip_member("link", b"../x", 0o120777))
    with pytest.raises(EntryRefused):
        unpacked(zip_member("link", b"x" * 5000, 0o120777))
    assert unpacked(zip_member("link", b"here", 0o120777))[0].target == "here"
    plain = zip_of({"cafe.txt": b"x", "b": b""}).replace(b"cafe.txt", "caé.txt".encode())
    assert [entry.path for entry in unpacked(plain)] == ["b", "caé.txt"]


def test_what_macos_adds_is_left_out(unpacked: Unpacked) -> None:
    files = {"site/a": b"a", "__MACOSX/site/._a": b"x", "site/.DS_Store": b"x"}

    assert [entry.path for entry in unpacked(zip_of(files))] == ["a"]


def test_an_archive_inside_an_archive_is_a_file(store: BlobStore, unpacked: Unpacked) -> None:
    inner = zip_of({"x": b"y"})

    assert content_of(store, unpacked(zip_of({"a.zip": inner}))) == {"a.zip": inner}


def test_a_zip64_archive_is_read(store: BlobStore, unpacked: Unpacked) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open(zipfile.ZipInfo("big"), "w", force_zip64=True) as big,
    ):
        big.write(b"content")

    assert content_of(store, unpacked(buffer.getvalue())) == {"big": b"content"}


# -------------------------------------------------------------- what leaves

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


# ------------------------------------------------------------ what explodes


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


# ------------------------------------------------------------ what is wrong


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


# ---------------------------------------------------------------- properties

names = st.text("abAB./\\é", min_size=1, max_size=8)
bodies = st.binary(max_size=200)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            names,
            bodies,
            st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE]),
            names,
        ),
        max_size=6,
    )
)
def test_a_tar_is_refused_or_stays_inside_when_laid_down(
    store: BlobStore, tmp_path_factory: pytest.TempPathFactory, members: list[tuple]
) -> None:
    base = tmp_path_factory.mktemp("case")
    parts = [
        member(name, body if kind == tarfile.REGTYPE else b"", type=kind, linkname=link)
        for name, body, kind, link in members
    ]
    (base / "upload").write_bytes(tar(*parts))
    try:
        manifest = unpack(base / "upload", store)
    except AppError:
        return
    store.link_tree(manifest, base / "tree")
    for path in (base / "tree").rglob("*"):
        assert path.resolve().is_relative_to(base / "tree")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([*PRESS, "zip"]), st.data())
def test_damaged_bytes_end_in_an_error_of_ours_or_in_a_tree(
    store: BlobStore, tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    whole = bytearray(PRESS[kind](tar_of(FILES)) if kind in PRESS else zip_of(FILES))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    upload = tmp_path_factory.mktemp("case") / "upload"
    upload.write_bytes(whole)
    with suppress(AppError):
        unpack(upload, store)
