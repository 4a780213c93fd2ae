"""Which files are uploaded, and how often they are read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.cli import files, hashing, linking

LATER_NS = 10_000_000_000


def put(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def found(folder: Path) -> list[str]:
    return [file.path for file in files.find(folder).files]


def test_version_control_dependencies_caches_and_secrets_are_never_sent(tmp_path: Path) -> None:
    put(
        tmp_path,
        *("index.html", ".env.example", "a/.env.example", ".well-known/x", "environment.txt"),
        *(".git/HEAD", "a/.git/HEAD", "node_modules/x", "a/node_modules/x", ".venv/x"),
        *("a/__pycache__/x.pyc", ".windlass/project.json", ".env", "a/.env.local", ".DS_Store"),
    )
    (tmp_path / ".windlassignore").write_text("!.env\n!node_modules\n")

    assert found(tmp_path) == [
        ".env.example",
        ".well-known/x",
        ".windlassignore",
        "a/.env.example",
        "environment.txt",
        "index.html",
    ]


def test_ignore_files_count_in_every_directory_and_the_deeper_one_wins(tmp_path: Path) -> None:
    put(
        tmp_path, "a.log", "deep/b.log", "deep/keep.log", "deep/er/c.log", "build/x", "deep/build/x"
    )
    (tmp_path / ".gitignore").write_text("*.log\n/build\n")
    (tmp_path / "deep" / ".gitignore").write_text("!keep.log\n")

    assert found(tmp_path) == [".gitignore", "deep/.gitignore", "deep/build/x", "deep/keep.log"]


def test_windlassignore_brings_back_what_git_ignores(tmp_path: Path) -> None:
    put(tmp_path, "index.html", "dist/app.js", "notes.txt")
    (tmp_path / ".gitignore").write_text("dist/\n")
    (tmp_path / ".windlassignore").write_text("!dist/\nnotes.txt\n.*ignore\n")

    assert found(tmp_path) == ["dist/app.js", "index.html"]


def test_everything_ignored_is_an_empty_folder(tmp_path: Path) -> None:
    put(tmp_path, "a", "b/c")
    (tmp_path / ".gitignore").write_text("*\n")

    with pytest.raises(files.EmptyFolder):
        files.find(tmp_path)


def test_an_ignored_socket_or_link_does_no_harm(tmp_path: Path) -> None:
    put(tmp_path, "index.html")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / ".windlassignore").write_text("pipe\nout\n.windlassignore\n")

    assert found(tmp_path) == ["index.html"]


def test_names_are_sent_in_one_unicode_form(tmp_path: Path) -> None:
    put(tmp_path, "cafe\u0301.html")

    assert found(tmp_path) == ["caf\u00e9.html"]


def test_two_names_that_become_one_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "cafe\u0301.html", "caf\u00e9.html")

    with pytest.raises(files.BadFileName, match="different Unicode form"):
        files.find(tmp_path)


@pytest.mark.parametrize("name", [b"bad\xff.html", b"new\nline", b"bell\x07"])
def test_names_that_no_url_can_hold_are_refused(tmp_path: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass

    with pytest.raises(files.BadFileName):
        files.find(tmp_path)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so root becomes nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_an_unreadable_file_is_named(public: Path) -> None:
    put(public, "fine.html", "closed.html")
    (public / "closed.html").chmod(0)
    listed = files.find(public).files
    with without_privileges(), pytest.raises(files.UnreadableFile, match=r"closed\.html cannot be"):
        hashing.fill(public, listed)


def test_an_unreadable_folder_is_named(public: Path) -> None:
    put(public, "fine.html", "closed/x")
    (public / "closed").chmod(0)
    try:
        with without_privileges(), pytest.raises(files.UnreadableFile, match="closed cannot be"):
            files.find(public)
    finally:
        (public / "closed").chmod(0o755)


def hash_all(folder: Path, *, seconds_later: float = 10) -> int:
    listed = files.find(folder).files
    latest = max(file.ctime_ns for file in listed)
    return hashing.fill(folder, listed, clock_ns=lambda: latest + int(seconds_later * 1e9))


def test_an_unchanged_folder_is_hashed_once(tmp_path: Path) -> None:
    put(tmp_path, "a", "b/c", "d")
    assert hash_all(tmp_path) == 3
    assert hash_all(tmp_path) == 0
    put(tmp_path, "new")
    (tmp_path / "a").write_text("changed")
    assert hash_all(tmp_path) == 2


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    put(tmp_path, "a", "b")
    hash_all(tmp_path)
    before = (tmp_path / "a").stat()
    (tmp_path / "a").write_text("A")
    os.utime(tmp_path / "a", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert hash_all(tmp_path) == 1


def test_a_file_written_just_now_is_hashed_again_next_time(tmp_path: Path) -> None:
    put(tmp_path, "a")
    assert hash_all(tmp_path, seconds_later=0.001) == 1
    assert hash_all(tmp_path) == 1
    assert hash_all(tmp_path) == 0


def test_a_damaged_cache_costs_only_time(tmp_path: Path) -> None:
    put(tmp_path, "a")
    hash_all(tmp_path)
    (tmp_path / ".windlass" / "cache" / "hashes").write_bytes(b"\xc1 nonsense")

    assert hash_all(tmp_path) == 1


@given(st.text(max_size=200))
def test_a_slug_is_a_dns_label_or_nothing(name: str) -> None:
    slug = linking.slugify(name)

    assert len(slug) <= 63
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in slug)
    assert slug == slug.lower()
    assert not slug.startswith("-")
    assert not slug.endswith("-")
    assert linking.slugify(slug) == slug
