"""Sends a folder: only content the server lacks, small files in batches, large ones streamed."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from windlass.cli import hashing
from windlass.cli.api import Api
from windlass.cli.client import ApiError
from windlass.cli.errors import CliError
from windlass.cli.files import LocalFile, UnreadableFile
from windlass.cli.progress import Progress
from windlass.cli.schemas import FileEntry, Source

BATCH_BYTES = 8 << 20
HEADER_BYTES = 40
IN_FLIGHT = 4
CHUNK_BYTES = 256 << 10
ROUNDS = 3


class KeepsChanging(CliError):
    """{path} keeps changing while it is being uploaded."""

    fix = "Wait until the program that writes it is done, then deploy again."


class Sent(msgspec.Struct):
    """What an upload needed: files and bytes that really travelled."""

    files: int = 0
    bytes: int = 0


class _Changed(Exception):
    """The file is no longer what was hashed."""


def folder(
    api: Api, name: str, files: Sequence[LocalFile], progress: Progress
) -> tuple[Source, Sent]:
    """Uploads hashed files as a source. `progress` follows what travels.

    Raises ApiError (413: the server's limit), KeepsChanging, UnreadableFile.
    """
    upload = _Upload(api, progress)
    upload.bring([file for file in files if file.mode != "link"])
    for _ in range(ROUNDS):
        try:
            return api.create_source([_entry(file) for file in files], name), upload.sent
        except ApiError as error:
            missing = _missing(error)
            wanted = [file for file in files if file.sha256 in missing]
            if not wanted:
                raise
            # The server may have cleaned up in between, or keeps link targets as blobs too.
            upload.send(wanted)
    raise KeepsChanging(path=name)


def archive(api: Api, path: Path, progress: Progress) -> Source:
    """Uploads an archive as a source; the server unpacks and checks it."""
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise UnreadableFile(path=path, reason=error.strerror) from error

    def content() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
                progress.advance(len(chunk))

    progress.expect(size)
    return api.create_archive_source(path.name, content, size)


class _Upload:
    """The blobs of one source, on their way."""

    def __init__(self, api: Api, progress: Progress) -> None:
        self.api = api
        self.progress = progress
        self.sent = Sent()
        self._present: set[str] = set()
        self._counting = threading.Lock()

    def bring(self, files: Sequence[LocalFile]) -> None:
        """Makes the server have every file's content, as it was when it was read last."""
        absent = list(files)
        for _ in range(ROUNDS):
            by_hash = {file.sha256: file for file in absent}
            missing = self.api.missing_blobs(list(by_hash)) if by_hash else set[str]()
            self._present |= by_hash.keys() - missing
            self.send([by_hash[sha256] for sha256 in missing])
            absent = [file for file in files if file.sha256 not in self._present]
            if not absent:
                return
        raise KeepsChanging(path=absent[0].path)

    def send(self, files: Iterable[LocalFile]) -> None:
        """Sends these files' contents, four requests at a time."""
        ordered = sorted(files, key=lambda file: file.path)
        small = [file for file in ordered if file.size + HEADER_BYTES <= BATCH_BYTES]
        large = [file for file in ordered if file.size + HEADER_BYTES > BATCH_BYTES]
        self.progress.expect(sum(file.size for file in ordered))
        pool = ThreadPoolExecutor(IN_FLIGHT)
        try:
            tasks = [pool.submit(self._send_large, file) for file in large]
            tasks += [pool.submit(self._send_batch, batch) for batch in _batches(small)]
            _wait_for(tasks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _send_batch(self, batch: Sequence[LocalFile]) -> None:
        """A small file is read once: what is sent is what its digest says, changed or not."""
        packed = bytearray()
        for file in batch:
            content = _read(file)
            digest = hashlib.sha256(content).digest()
            file.sha256, file.size = digest.hex(), len(content)
            packed += digest + len(content).to_bytes(8, "big") + content
        self.api.put_blobs(bytes(packed))
        self.progress.advance(sum(file.size for file in batch))
        self._note(batch)

    def _send_large(self, file: LocalFile) -> None:
        """A large file is streamed; when it changed meanwhile, it is hashed for the next round."""
        try:
            self.api.put_blob(file.sha256, lambda: _stream(file, self.progress), file.size)
        except _Changed:
            hashing.read_again(file)
            return
        self._note([file])

    def _note(self, files: Sequence[LocalFile]) -> None:
        with self._counting:
            self._present.update(file.sha256 for file in files)
            self.sent.files += len(files)
            self.sent.bytes += sum(file.size for file in files)


def _batches(files: Iterable[LocalFile]) -> Iterator[list[LocalFile]]:
    batch: list[LocalFile] = []
    size = 0
    for file in files:
        needed = file.size + HEADER_BYTES
        if batch and size + needed > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += needed
    if batch:
        yield batch


def _wait_for(tasks: Sequence[Future[None]]) -> None:
    done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
    for task in done:
        task.result()


def _read(file: LocalFile) -> bytes:
    if file.mode == "link":
        return file.target.encode()
    try:
        # A file that grew beyond every limit must not fill the memory.
        with open(file.location, "rb") as content:
            read = content.read(BATCH_BYTES * 3)
    except OSError as error:
        raise UnreadableFile(path=file.path, reason=error.strerror) from error
    if len(read) == BATCH_BYTES * 3:
        raise KeepsChanging(path=file.path)
    return read


def _stream(file: LocalFile, progress: Progress) -> Iterator[bytes]:
    """The content in pieces. The last one is held back until the whole digest is right."""
    digest, left = hashlib.sha256(), file.size
    with open(file.location, "rb") as content:
        while left:
            chunk = content.read(min(CHUNK_BYTES, left))
            digest.update(chunk)
            left -= len(chunk)
            if not chunk or (not left and digest.hexdigest() != file.sha256):
                raise _Changed
            yield chunk
            progress.advance(len(chunk))


def _entry(file: LocalFile) -> FileEntry:
    return FileEntry(file.path, file.sha256, file.size, file.mode, file.target)


def _missing(error: ApiError) -> set[str]:
    if error.status != 409:
        return set()
    try:
        return set(msgspec.convert(error.details.get("missing", []), list[str]))
    except msgspec.ValidationError:
        return set()
