"""What every kind of archive has in common: its errors, and the gate its members pass."""

from collections.abc import Callable

from windlass.core.batch import Batch
from windlass.core.errors import BadRequest, TooLarge
from windlass.core.manifest import (
    DuplicatePath,
    Entry,
    FileTooLarge,
    Manifest,
    PathClash,
    Reasoned,
    TreeLimits,
    check_count,
    check_path,
    check_total,
    checked,
    link_entry,
    shown,
    size_text,
)

CHUNK = 1 << 20
_SMALLEST_BOMB = 32 << 20
"""Below this much output no ratio is suspicious: a log of zeros is not an attack."""


class ArchiveUnknown(Reasoned, BadRequest):
    """This is not an archive we can read: it {found}. Use tar, tar.gz, tar.bz2, tar.xz or zip."""


class ArchiveEmpty(Reasoned, BadRequest):
    """The archive holds no files."""


class ArchiveDamaged(Reasoned, BadRequest):
    """The archive is damaged or cut off: {detail}. Make it again and upload it again."""


class ArchiveBomb(Reasoned, TooLarge):
    """The archive unpacks to more than {limit} times its own size ({found} from {size}).
    If that is really meant, upload the folder instead."""


class ArchiveOverlap(Reasoned, BadRequest):
    """{path} and {other} share bytes inside the zip archive, which only bombs do."""


class ArchiveEncrypted(Reasoned, BadRequest):
    """{path} is encrypted. Make the archive without a password."""


class ArchiveUnsupported(Reasoned, BadRequest):
    """{path} needs {feature}, which we do not read. {fix}"""


class SparseFile(Reasoned, BadRequest):
    """{path} is a sparse file. Make the archive without --sparse."""


class HardLinkLeaves(Reasoned, BadRequest):
    """The hard link {path} points to {target}, which is not an earlier file of the archive."""


class CaseClash(Reasoned, BadRequest):
    """{path} and {other} differ in upper and lower case only. Rename one of them."""


class Intake:
    """Takes members one by one, counts, refuses, and ends in a manifest."""

    def __init__(self, batch: Batch, limits: TreeLimits, archive_bytes: int) -> None:
        self.limits = limits
        self._batch = batch
        self._archive_bytes = archive_bytes
        self._entries: dict[str, Entry] = {}
        self._folded: dict[str, str] = {}
        self._folders: set[str] = set()
        self._members = 0
        self._bytes = 0

    def folder(self, path: str) -> None:
        """A folder: only remembered, a manifest has none."""
        self._count()
        is_root = all(part in ("", ".") for part in path.split("/"))
        clean = "" if is_root else check_path(path, self.limits)
        if clean in self._entries:
            raise PathClash(path=shown(path))
        self._folders.add(clean)

    def link(self, path: str, target: str) -> None:
        """A symbolic link; where it leads is checked when all members are known."""
        clean = self._place(path)
        self._entries[clean] = link_entry(clean, target)

    def hard_link(self, path: str, target: str) -> None:
        """Another name for an earlier member."""
        clean = self._place(path)
        source = self._entries.get(check_path(target, self.limits))
        if source is None:
            raise HardLinkLeaves(path=shown(path), target=shown(target))
        self._weigh(source.size)
        self._entries[clean] = Entry(clean, source.sha256, source.size, source.mode, source.target)

    def file(self, path: str, *, size: int, executable: bool, read: Callable[[int], bytes]) -> None:
        """A regular file of exactly `size` bytes; `read(n)` gives 1 to n of the next ones."""
        clean = self._place(path)
        limit = self.limits.file_bytes
        if size > limit:
            raise FileTooLarge(path=shown(path), limit=size_text(limit), found=size_text(size))
        # Declared first, so that a bomb that admits its size is refused before it is unpacked.
        self._weigh(size)
        sha256 = self._store(path, size, executable, read)
        self._entries[clean] = Entry(clean, sha256, size, "exec" if executable else "file")

    def manifest(self) -> Manifest:
        """All of it, checked, without the one folder that wraps everything."""
        entries = [entry for path, entry in self._entries.items() if not _is_litter(path)]
        if not entries:
            raise ArchiveEmpty
        tops = {entry.path.partition("/")[0] for entry in entries}
        if len(tops) == 1 and all("/" in entry.path for entry in entries):
            entries = [_below_top(entry) for entry in entries]
        return checked(entries, limits=self.limits)

    def check_ratio(self, unpacked: int) -> None:
        """ArchiveBomb when this much came out of the archive."""
        limit = self.limits.ratio
        if unpacked > max(_SMALLEST_BOMB, limit * self._archive_bytes):
            found, size = size_text(unpacked), size_text(self._archive_bytes)
            raise ArchiveBomb(limit=limit, found=found, size=size)

    def _store(self, path: str, size: int, executable: bool, read: Callable[[int], bytes]) -> str:
        if size <= CHUNK:
            content = b""
            while len(content) < size:
                content += self._some(path, read, size - len(content))
            return self._batch.keep(content, executable=executable)
        writer = self._batch.writer(size)
        while writer.size < size:
            writer.write(self._some(path, read, min(CHUNK, size - writer.size)))
        return writer.finish(executable=executable)

    def _some(self, path: str, read: Callable[[int], bytes], wanted: int) -> bytes:
        content = read(wanted)
        if not content:
            raise ArchiveDamaged(detail=f"{shown(path)} ends too early")
        return content

    def _place(self, path: str) -> str:
        self._count()
        clean = check_path(path, self.limits)
        if clean in self._entries:
            raise DuplicatePath(path=shown(path))
        if clean in self._folders:
            raise PathClash(path=shown(path))
        other = self._folded.setdefault(clean.casefold(), clean)
        if other != clean:
            raise CaseClash(path=shown(clean), other=shown(other))
        return clean

    def _count(self) -> None:
        # Folders cost time and memory too, although the manifest does not hold them.
        self._members += 1
        check_count(self._members - len(self._folders), self.limits.files)
        check_count(self._members, 2 * self.limits.files)

    def _weigh(self, size: int) -> None:
        self._bytes += size
        check_total(self._bytes, self.limits.total_bytes)
        self.check_ratio(self._bytes)


def _below_top(entry: Entry) -> Entry:
    path = entry.path.partition("/")[2]
    return Entry(path, entry.sha256, entry.size, entry.mode, entry.target)


def _is_litter(path: str) -> bool:
    """What macOS adds to every zip; it would also hide the common top folder."""
    return path.startswith("__MACOSX/") or path.rpartition("/")[2] == ".DS_Store"
