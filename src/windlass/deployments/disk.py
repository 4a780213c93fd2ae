"""Where the bytes of the home went: every file below it belongs to a part, and each counts once.

A content lies on the disk once and has a name in every release that shows it. It is a project's
own when releases of one project alone show it, shared when those of several do, and unlinked when
none does: a source that can be built again, or something that the collector takes in its time.
"""

import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import ids
from windlass.core.threads import blocking
from windlass.deployments.models import Deployment
from windlass.projects.models import Project

# Folders of the home and what they are called; what is in none of them is the rest.
_PARTS = {
    "releases": "releases",
    "caches": "caches",
    "logs": "logs",
    "postgres": "database",
    "work": "work",
    "sites": "sites",
    "keys": "keys",
    "run": "run",
    "backups": "backups",
}
_DEPLOYMENT = re.compile(r"depl_[0-9a-f]{32}")
_SECTOR = 512


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """What one kind of thing takes."""

    name: str
    size_bytes: int
    files: int


class Share(msgspec.Struct, frozen=True, rename="camel"):
    """What one project takes. Shared contents stand with each of their projects, in full."""

    project_id: str
    name: str
    own_bytes: int
    shared_bytes: int
    releases_bytes: int
    caches_bytes: int
    logs_bytes: int
    work_bytes: int

    @property
    def total(self) -> int:
        """What would be free without it, at the least."""
        own = self.own_bytes + self.releases_bytes + self.caches_bytes
        return own + self.logs_bytes + self.work_bytes


class Usage(msgspec.Struct, frozen=True, rename="camel"):
    """The whole home. `parts` add up to `size_bytes`; `rest` names what is no part of Windlass."""

    size_bytes: int
    free_bytes: int
    disk_bytes: int
    unexplained_bytes: int
    parts: list[Part]
    projects: list[Share]
    rest: list[str]


async def usage(db: AsyncSession, home: Path) -> Usage:
    """Every byte below the home, by what it is and whose it is."""
    owners = {
        ids.public("depl", row.id): ids.public("proj", row.project_id)
        for row in await db.execute(select(Deployment.id, Deployment.project_id))
    }
    names = {
        ids.public("proj", row.id): row.name
        for row in await db.execute(select(Project.id, Project.name))
    }
    return await blocking(measure, home, owners, names)


def measure(home: Path, owners: Mapping[str, str], names: Mapping[str, str]) -> Usage:
    """The same, with deployments and projects by their public ids. Blocks; a second for 100,000
    files."""
    walk = _Walk(home)
    shown = _shown_by(home, owners)
    sizes: Counter[str] = Counter()
    files: Counter[str] = Counter()
    by_project: dict[str, Counter[str]] = defaultdict(Counter)
    rest: set[str] = set()
    for top, path, status in walk:
        part = _part(top, status, shown)
        size = status.st_blocks * _SECTOR
        sizes[part] += size
        files[part] += 1
        if part == "rest":
            rest.add(top)
        for project in _projects(part, top, path, status, owners, shown):
            by_project[project][part] += size
    disk = shutil.disk_usage(home)
    found = [Part(name, size, files[name]) for name, size in sizes.most_common()]
    return Usage(
        size_bytes=walk.size,
        free_bytes=disk.free,
        disk_bytes=disk.total,
        unexplained_bytes=walk.size - sum(sizes.values()),
        parts=found,
        projects=sorted(
            (_share(id, names.get(id, ""), counts) for id, counts in by_project.items()),
            key=lambda share: share.total,
            reverse=True,
        ),
        rest=sorted(rest),
    )


def _share(id: str, name: str, counts: Counter[str]) -> Share:
    return Share(
        project_id=id,
        name=name,
        own_bytes=counts["blobs_own"],
        shared_bytes=counts["blobs_shared"],
        releases_bytes=counts["releases"],
        caches_bytes=counts["caches"],
        logs_bytes=counts["logs"],
        work_bytes=counts["work"],
    )


class _Walk:
    """Every entry below a folder, each file once however many names it has. What goes away
    meanwhile is left out."""

    def __init__(self, home: Path) -> None:
        self._home = str(home)
        self.size = 0

    def __iter__(self) -> Iterator[tuple[str, str, os.stat_result]]:
        seen: set[tuple[int, int]] = set()
        # Contents first: a file that is in the store and in a release is the store's.
        for path, status in _entries(self._home, first="blobs"):
            if status.st_nlink > 1 and not _is_folder(status):
                inode = (status.st_dev, status.st_ino)
                if inode in seen:
                    continue
                seen.add(inode)
            self.size += status.st_blocks * _SECTOR
            inside = path[len(self._home) + 1 :]
            yield inside.partition("/")[0], inside, status


def _entries(folder: str, *, first: str = "") -> Iterator[tuple[str, os.stat_result]]:
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as found:
                children = sorted(found, key=lambda entry: entry.name == first)
        except OSError:
            continue
        for child in children:
            try:
                status = child.stat(follow_symlinks=False)
            except OSError:
                continue
            yield child.path, status
            if _is_folder(status):
                pending.append(child.path)


def _is_folder(status: os.stat_result) -> bool:
    return (status.st_mode & 0o170000) == 0o040000


def _shown_by(home: Path, owners: Mapping[str, str]) -> dict[tuple[int, int], set[str]]:
    """Of each content that releases show, the projects that they are of."""
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for path, status in _entries(str(home / "releases")):
        if status.st_nlink > 1 and not _is_folder(status):
            match = _DEPLOYMENT.search(path)
            project = owners.get(match[0], "") if match else ""
            found[status.st_dev, status.st_ino].add(project)
    return found


def _part(top: str, status: os.stat_result, shown: Mapping[tuple[int, int], set[str]]) -> str:
    if top != "blobs":
        return _PARTS.get(top, "rest")
    if _is_folder(status):
        return "blobs_unlinked"
    projects = shown.get((status.st_dev, status.st_ino), set())
    if not projects:
        return "blobs_unlinked"
    return "blobs_own" if len(projects) == 1 else "blobs_shared"


def _projects(
    part: str,
    top: str,
    path: str,
    status: os.stat_result,
    owners: Mapping[str, str],
    shown: Mapping[tuple[int, int], set[str]],
) -> set[str]:
    if part in ("blobs_own", "blobs_shared"):
        return {one for one in shown[status.st_dev, status.st_ino] if one}
    if top == "caches":
        project = path.split("/")[1] if "/" in path else ""
        return {project} if project.startswith("proj_") else set()
    if top in ("releases", "logs", "work") and (match := _DEPLOYMENT.search(path)):
        project = owners.get(match[0])
        return {project} if project else set()
    return set()
