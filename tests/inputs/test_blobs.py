"""The store: verified, durable, shared, and clean after whatever happened (C-155, C-158)."""

import asyncio
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from windlass.core import trees
from windlass.core.blobs import BlobStore, ContentMissing, HashMalformed, HashMismatch
from windlass.core.manifest import Entry, FileTooLarge, checked, link_entry

pytestmark = pytest.mark.anyio


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


def temporary_files(store: BlobStore) -> list[Path]:
    return [path for path in (store.root / "tmp").rglob("*") if path.is_file()]


async def test_content_is_stored_once_under_its_hash_and_read_only(store: BlobStore) -> None:
    digest = await store.put(None, chunks(b"hel", b"lo"), 100)

    assert digest == sha(b"hello")
    assert await store.put(digest, chunks(b"hello"), 5) == digest
    assert store.read_bytes(digest) == b"hello"
    path = store.root / "sha256" / digest[:2] / digest[2:]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert temporary_files(store) == []


async def test_a_stream_of_many_megabytes_keeps_its_order(store: BlobStore) -> None:
    parts = [os.urandom(700_000) for _ in range(8)]

    digest = await store.put(None, chunks(*parts), 8 << 20)

    assert store.read_bytes(digest) == b"".join(parts)


async def test_content_with_another_hash_is_refused_and_leaves_nothing(store: BlobStore) -> None:
    with pytest.raises(HashMismatch):
        await store.put(sha(b"good"), chunks(b"evil"), 100)

    assert store.missing([sha(b"good"), sha(b"evil")]) == [sha(b"good"), sha(b"evil")]
    assert temporary_files(store) == []


async def test_content_beyond_the_limit_is_refused_while_it_arrives(store: BlobStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    with pytest.raises(FileTooLarge) as caught:
        await store.put(None, endless(), 3 << 20)

    assert "3.0 MiB" in caught.value.message
    assert temporary_files(store) == []


async def test_a_cancelled_upload_leaves_nothing(store: BlobStore) -> None:
    started = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield bytes(2 << 20)
        started.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(store.put(None, stalls(), 8 << 20))
    await started.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload

    assert temporary_files(store) == []


async def test_twenty_writers_of_the_same_content_all_succeed(store: BlobStore) -> None:
    content = os.urandom(3 << 20)

    digests = await asyncio.gather(
        *(
            store.put(None, chunks(content[: 1 << 20], content[1 << 20 :]), 4 << 20)
            for _ in range(20)
        )
    )

    assert set(digests) == {sha(content)}
    assert store.read_bytes(digests[0]) == content
    assert temporary_files(store) == []


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_hash_that_is_none_is_refused(store: BlobStore, bad: str) -> None:
    with pytest.raises(HashMalformed):
        store.has(bad)


def test_a_batch_that_fails_stores_nothing(store: BlobStore) -> None:
    def fails_half_way() -> None:
        with store.batch() as batch:
            batch.keep(b"one", executable=False)
            batch.writer(10).write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fails_half_way()

    assert not store.has(sha(b"one"))
    assert temporary_files(store) == []


# ------------------------------------------------------------------ trees


def test_a_release_tree_shares_its_files_and_keeps_the_executable_bit(
    store: BlobStore, tmp_path: Path
) -> None:
    digest = store.put_bytes(b"#!/bin/sh\n")
    manifest = checked(
        [
            Entry("bin/run", digest, 10, "exec"),
            Entry("bin/copy", digest, 10),
            link_entry("run", "bin/run"),
        ]
    )
    old_umask = os.umask(0o077)
    try:
        store.link_tree(manifest, tmp_path / "one/files")
        store.link_tree(manifest, tmp_path / "two")
    finally:
        os.umask(old_umask)

    one = tmp_path / "one/files"
    assert stat.S_IMODE((one / "bin/run").stat().st_mode) == 0o555
    assert stat.S_IMODE((one / "bin/copy").stat().st_mode) == 0o444
    assert stat.S_IMODE((one / "bin").stat().st_mode) == 0o755
    assert os.readlink(one / "run") == "bin/run"
    assert (one / "bin/run").samefile(tmp_path / "two/bin/run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "one", "two"]


def test_a_tree_laid_down_again_replaces_the_earlier_attempt(
    store: BlobStore, tmp_path: Path
) -> None:
    first = [Entry("a", store.put_bytes(b"1"), 1)]
    second = [Entry("b/c", store.put_bytes(b"2"), 1)]

    store.link_tree(first, tmp_path / "tree")
    store.link_tree(second, tmp_path / "tree")

    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "tree"]


def test_what_a_killed_builder_left_is_removed_by_the_next(
    store: BlobStore, tmp_path: Path
) -> None:
    half = tmp_path / ".tree.0123.unfinished"
    half.mkdir()
    (half / "a").touch()
    (tmp_path / ".trees.0123.unfinished").mkdir()

    store.link_tree([Entry("a", store.put_bytes(b"1"), 1)], tmp_path / "tree")

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".trees.0123.unfinished", "blobs", "tree"]


def test_a_tree_with_content_that_is_missing_does_not_appear(
    store: BlobStore, tmp_path: Path
) -> None:
    manifest = [Entry("a", store.put_bytes(b"here"), 4), Entry("b/c", sha(b"gone"), 4)]

    with pytest.raises(ContentMissing) as caught:
        store.link_tree(manifest, tmp_path / "tree")

    assert caught.value.details == {
        "reason": "CONTENT_MISSING",
        "path": "b/c",
        "missing": [sha(b"gone")],
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs"]


def test_a_file_with_too_many_names_is_copied(store: BlobStore, tmp_path: Path) -> None:
    empty = store.put_bytes(b"")
    names = tmp_path / "names"
    names.mkdir()
    # ext4 ends at 65,000 names; other file systems later or never, then this proves no harm.
    with suppress(OSError):
        for number in range(65_100):
            os.link(store.path(empty), names / str(number))

    store.link_tree([Entry("a", empty, 0)], tmp_path / "tree")

    assert (tmp_path / "tree/a").read_bytes() == b""
    assert stat.S_IMODE((tmp_path / "tree/a").stat().st_mode) == 0o444


def test_a_tree_on_another_file_system_is_copied(store: BlobStore) -> None:
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == store.root.parent.stat().st_dev:
        pytest.skip("/dev/shm is not another writable file system")
    target = shm / f"windlass-test-{os.getpid()}"
    manifest = [Entry("a", store.put_bytes(b"a"), 1), Entry("x", store.put_bytes(b"x"), 1, "exec")]
    try:
        store.link_tree(manifest, target)
        assert (target / "a").read_bytes() == b"a"
        assert os.access(target / "x", os.X_OK)
    finally:
        trees.remove_tree(target)


def test_a_work_folder_holds_writable_copies_of_its_user(store: BlobStore, tmp_path: Path) -> None:
    uid = 54321 if os.getuid() == 0 else None
    digest = store.put_bytes(b"content")
    manifest = checked(
        [Entry("d/a", digest, 7), Entry("d/x", digest, 7, "exec"), link_entry("l", "d/a")]
    )

    store.copy_tree(manifest, tmp_path / "work", uid)

    work = tmp_path / "work"
    assert stat.S_IMODE((work / "d/a").stat().st_mode) == 0o644
    assert stat.S_IMODE((work / "d/x").stat().st_mode) == 0o755
    owners = {(work / name).lstat().st_uid for name in (".", "d", "d/a", "d/x", "l")}
    assert owners == {os.getuid() if uid is None else uid}
    (work / "d/a").write_bytes(b"changed")
    assert store.read_bytes(digest) == b"content"


def test_a_folder_too_deep_for_recursion_is_removed_and_nothing_beside_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    base = tmp_path / "base"
    base.mkdir()
    fd = os.open(base, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=fd)
        os.symlink(outside, "out", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.fchmod(fd, 0)
    os.close(fd)

    trees.remove_tree(base)

    assert not base.exists()
    assert (outside / "precious").exists()
    trees.remove_tree(base)


# --------------------------------------------------------------- keeping


def age(store: BlobStore, digest: str, *, executable: bool = False) -> None:
    os.utime(store.path(digest, executable=executable), (1, 1))


def test_collection_spares_what_is_kept_linked_or_fresh(store: BlobStore, tmp_path: Path) -> None:
    kept, linked, fresh, asked, old = (store.put_bytes(name) for name in b"k l f a o1234".split())
    twin = store.put_bytes(b"o1234", executable=True)
    for digest in (kept, linked, asked, old):
        age(store, digest)
    age(store, twin, executable=True)
    store.link_tree([Entry("a", linked, 1)], tmp_path / "tree")
    assert store.has(asked)

    freed = store.collect([kept])

    assert freed == 2 * 5
    assert store.missing([kept, linked, fresh, asked, old]) == [old]
    assert (tmp_path / "tree/a").read_bytes() == b"l"


def test_collection_during_uploads_never_takes_what_was_just_promised(store: BlobStore) -> None:
    digests = [store.put_bytes(str(number).encode()) for number in range(200)]
    for digest in digests:
        age(store, digest)
    stop = threading.Event()

    def collects() -> None:
        while not stop.is_set():
            store.collect([])

    collector = threading.Thread(target=collects)
    collector.start()
    try:
        for digest in digests:
            if store.has(digest):
                for _ in range(5):
                    assert store.read_bytes(digest)
    finally:
        stop.set()
        collector.join()


WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from windlass.core.blobs import BlobStore
store = BlobStore(Path(sys.argv[1]))
with store.batch() as batch:
    batch.keep(b"complete", executable=False)
    batch.writer(100).write(b"half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_leaves_is_swept_and_a_living_one_is_left_alone(
    store: BlobStore,
) -> None:
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(store.root)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        assert store.sweep() == 0
        assert len(temporary_files(store)) == 2
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=60)

        assert store.sweep() == 1
    assert temporary_files(store) == []
    assert not store.has(sha(b"complete"))


FILLS_THE_DISK = """
import sys
from pathlib import Path
from windlass.core.blobs import BlobStore
from windlass.core.manifest import DiskFull, Entry
disk = Path(sys.argv[1])
store = BlobStore(disk / "blobs")
try:
    store.put_bytes(bytes(2 << 20))
except DiskFull as error:
    print(error.message)
small = store.put_bytes(bytes(300_000))
try:
    store.copy_tree([Entry(str(n), small, 300_000) for n in range(5)], disk / "work", None)
except DiskFull as error:
    print(error.reason)
print(sorted(path.name for path in disk.iterdir()), list((disk / "blobs/tmp").glob("*/*")))
"""


def test_a_full_disk_is_an_error_that_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    disk = str(tmp_path / "disk")
    Path(disk).mkdir()
    small_disk = ["bwrap", "--dev-bind", "/", "/", "--size", str(1 << 20), "--tmpfs", disk]

    done = subprocess.run(
        [*small_disk, sys.executable, "-c", FILLS_THE_DISK, disk],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        f"The disk that holds {disk}/blobs is full. Free some space and try again.",
        "DISK_FULL",
        "['blobs'] []",
    ]
