"""Archives of every kind: what is kept of them (C-132, C-147)."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inputs.archives import FILES, PRESS, member, tar, tar_of, zip_member, zip_of
from tests.inputs.conftest import Unpacked
from windlass.adapters.archive import unpack
from windlass.core.blobs import BlobStore
from windlass.core.errors import AppError
from windlass.core.manifest import (
    EntryRefused,
    LinkLeaves,
    Manifest,
)


def content_of(store: BlobStore, manifest: Manifest) -> dict[str, bytes]:
    return {entry.path: store.read_bytes(entry.sha256) for entry in manifest}


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
