"""Reading a folder that a build made, or that something still writes to (C-147)."""

import os
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from windlass.core.blobs import BlobStore
from windlass.core.errors import AppError
from windlass.core.manifest import (
    FileTooLarge,
    LinkLeaves,
    PathRefused,
    TooManyFiles,
    TreeTooLarge,
    link_entry,
)
from windlass.core.reading import FolderChanged, NotAFolder, SpecialFile, Unreadable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>hello</h1>")
    (folder / "sub/run").write_text("#!/bin/sh\n")
    (folder / "sub/run").chmod(0o755)
    return folder


def test_a_folder_becomes_a_manifest_with_its_content_stored(
    store: BlobStore, folder: Path
) -> None:
    (folder / "large").write_bytes(bytes(3 << 20))
    (folder / "link").symlink_to("sub/run")
    (folder / "empty").mkdir()

    manifest = store.scan(folder)

    assert [(entry.path, entry.mode, entry.size) for entry in manifest] == [
        ("index.html", "file", 14),
        ("large", "file", 3 << 20),
        ("link", "link", 7),
        ("sub/run", "exec", 10),
    ]
    assert all(store.has(entry.sha256) for entry in manifest if entry.mode != "link")
    assert store.scan(folder) == manifest


def test_a_tree_survives_being_laid_down_and_read_again(
    store: BlobStore, folder: Path, tmp_path: Path
) -> None:
    for number in range(300):
        (folder / f"sub/{number}").write_text(str(number % 50))
    manifest = store.scan(folder)

    store.copy_tree(manifest, tmp_path / "work", None)
    store.link_tree(manifest, tmp_path / "release")

    assert store.scan(tmp_path / "work") == manifest
    assert store.scan(tmp_path / "release") == manifest


def test_ignored_names_and_paths_are_left_out(store: BlobStore, folder: Path) -> None:
    for name in ("a/.git", "a/cache", "cache"):
        (folder / name).mkdir(parents=True)
        (folder / name / "x").touch()

    manifest = store.scan(folder, ignore=[".git", "a/cache", "index.html"])

    assert [entry.path for entry in manifest] == ["cache/x", "sub/run"]


def test_links_that_leave_are_refused_but_not_those_to_the_tool_chain(
    store: BlobStore, folder: Path
) -> None:
    (folder / "python").symlink_to("/opt/python/bin/python")
    with pytest.raises(LinkLeaves) as caught:
        store.scan(folder)

    assert "python" in caught.value.message
    assert store.scan(folder, allow_links_under=["/opt/python"])
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(LinkLeaves):
        store.scan(folder, allow_links_under=["/opt/python"])


def test_absolute_links_to_where_the_folder_was_mounted_become_relative(
    store: BlobStore, folder: Path
) -> None:
    (folder / "sub/home").symlink_to("/app/index.html")

    manifest = store.scan(folder, mounted_at="/app")

    assert link_entry("sub/home", "../index.html") in manifest


def test_devices_pipes_and_sockets_are_refused(store: BlobStore, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(SpecialFile, match="named pipe"):
        store.scan(folder)
    os.unlink(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "sock"))
        with pytest.raises(SpecialFile, match="socket"):
            store.scan(folder)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"max_files": 1}, TooManyFiles, "1 files"),
        ({"max_bytes": 20}, TreeTooLarge, "20 bytes"),
        ({"max_bytes": 12}, FileTooLarge, "12 bytes"),
    ],
)
def test_a_folder_too_large_is_refused_with_the_limit(
    store: BlobStore, folder: Path, options: dict[str, int], error: type[AppError], text: str
) -> None:
    with pytest.raises(error) as caught:
        store.scan(folder, **options)

    assert text in caught.value.message
    assert not list((store.root / "tmp").rglob("*/*"))


def test_a_folder_too_deep_is_refused(store: BlobStore, folder: Path) -> None:
    folder.joinpath(*["d"] * 70).mkdir(parents=True)

    with pytest.raises(PathRefused, match="64 folders deep"):
        store.scan(folder)


def test_names_that_are_not_text_are_refused(store: BlobStore, folder: Path) -> None:
    os.close(os.open(os.fsencode(folder) + b"/caf\xe9", os.O_CREAT, 0o644))

    with pytest.raises(PathRefused, match="undecodable"):
        store.scan(folder)


def test_an_output_folder_reached_through_a_link_is_refused(
    store: BlobStore, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    (secret / "out").mkdir(parents=True)
    (folder / "dist").symlink_to(secret)

    for inner in ("dist", "dist/out", "../secret", "index.html"):
        with pytest.raises(NotAFolder):
            store.scan(folder / inner, within=folder)
    with pytest.raises(FileNotFoundError):
        store.scan(folder / "nothing", within=folder)
    assert len(store.scan(folder / "sub", within=folder)) == 1


def test_a_file_without_read_permission_is_named() -> None:
    """As an ordinary user, because root reads every file; pytest's own folders keep others out."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o777)
        store = BlobStore(base / "blobs")
        user = os.geteuid()
        os.seteuid(user or 65534)
        try:
            (base / "folder").mkdir()
            (base / "folder/secret").touch(mode=0)
            with pytest.raises(Unreadable, match="secret"):
                store.scan(base / "folder")
        finally:
            os.seteuid(user)


def test_swapping_a_folder_for_a_link_while_reading_never_leads_outside(
    store: BlobStore, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for number in range(20):
        (secret / str(number)).write_text("secret")
    folder = tmp_path / "folder"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    for number in range(20):
        (inner / str(number)).write_text("public")
    stop = threading.Event()

    def swaps() -> None:
        while not stop.is_set():
            os.rename(inner, tmp_path / "aside")
            os.symlink(secret, inner)
            os.unlink(inner)
            os.rename(tmp_path / "aside", inner)

    swapper = threading.Thread(target=swaps)
    swapper.start()
    seen: set[bytes] = set()
    try:
        for _ in range(150):
            try:
                manifest = store.scan(folder)
            except (FolderChanged, LinkLeaves):
                continue
            for entry in manifest:
                seen.add(store.read_bytes(entry.sha256))
    finally:
        stop.set()
        swapper.join()

    assert seen <= {b"public"}


def test_no_descriptor_is_left_open(store: BlobStore, folder: Path) -> None:
    os.mkfifo(folder / "sub/pipe")
    store.put_bytes(b"opens the temporary folder")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(SpecialFile):
            store.scan(folder)

    assert len(os.listdir("/proc/self/fd")) == before
    assert stat.S_ISFIFO((folder / "sub/pipe").stat().st_mode)
