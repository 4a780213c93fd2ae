"""Every byte has a name, and only caches are ever taken."""

import os
from pathlib import Path

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds import caches
from windlass.builds.models import Source
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.settings import Disk, Settings
from windlass.deployments import disk, reclaiming
from windlass.deployments.reclaiming import Used
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
_ONE, _TWO = "proj_" + "1" * 32, "proj_" + "2" * 32
_OWNERS = {f"depl_{n}" + "0" * 31: p for n, p in (("a", _ONE), ("b", _ONE), ("c", _TWO))}
_NAMES = {_ONE: "One", _TWO: "Two"}


def write(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Contents of one's own, shared ones, ones that nobody shows, and something of everything."""
    a, b, c = (tmp_path / "releases" / name / "files" for name in _OWNERS)
    for folder in (a, b, c):
        folder.mkdir(parents=True)
    own = write(tmp_path / "blobs" / "sha256" / "aa" / "own", 40_960)
    shared = write(tmp_path / "blobs" / "sha256" / "aa" / "shared", 81_920)
    write(tmp_path / "blobs" / "sha256" / "aa" / "source", 20_480)
    for folder, content in ((a, own), (b, own), (a, shared), (c, shared)):
        os.link(content, folder / content.name)
    write(tmp_path / "caches" / _TWO / "home" / "x", 12_288)
    write(tmp_path / "logs" / "apps" / f"{next(iter(_OWNERS))}.log", 8192)
    write(tmp_path / "postgres" / "base" / "1", 16_384)
    write(tmp_path / "holiday.mov", 4096)
    return tmp_path


def test_every_file_counts_once_and_belongs_to_something(home: Path) -> None:
    found = disk.measure(home, _OWNERS, _NAMES)

    parts = {part.name: part.size_bytes for part in found.parts}
    assert parts["blobs_own"] == taken(home / "blobs" / "sha256" / "aa" / "own")
    assert parts["blobs_shared"] == taken(home / "blobs" / "sha256" / "aa" / "shared")
    assert parts["blobs_unlinked"] >= taken(home / "blobs" / "sha256" / "aa" / "source")
    assert parts["database"] >= taken(home / "postgres" / "base" / "1")
    assert parts["rest"] == taken(home / "holiday.mov")
    assert found.rest == ["holiday.mov"]
    assert found.unexplained_bytes == 0
    assert sum(parts.values()) == found.size_bytes == _as_du_says(home)


def taken(file: Path) -> int:
    return file.stat().st_blocks * 512


def _as_du_says(home: Path) -> int:
    seen: set[int] = set()
    total = 0
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(folder, name))
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += status.st_blocks * 512
    return total


def test_what_a_project_takes_is_told_from_what_it_shares(home: Path) -> None:
    shares = {share.name: share for share in disk.measure(home, _OWNERS, _NAMES).projects}

    own, shared = (taken(home / "blobs" / "sha256" / "aa" / name) for name in ("own", "shared"))
    assert (shares["One"].own_bytes, shares["One"].shared_bytes) == (own, shared)
    assert (shares["Two"].own_bytes, shares["Two"].shared_bytes) == (0, shared)
    assert shares["Two"].caches_bytes >= taken(home / "caches" / _TWO / "home" / "x")
    assert shares["One"].logs_bytes > 0


async def test_an_administrator_is_told_what_the_disk_says(
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    owner: Actor,
    project: Project,
    source: Source,
) -> None:
    deployment = await make.deployment(database, project, source, owner)
    store = BlobStore(settings.folder / "blobs")
    sha256 = store.put_bytes(b"x" * 10_000)
    files = settings.folder / "releases" / ids.public("depl", deployment.id) / "files"
    files.mkdir(parents=True)
    os.link(store.path(sha256), files / "x")

    found = (await client.get("/api/admin/disk")).json()["data"]

    assert found["unexplainedBytes"] == 0
    assert sum(part["sizeBytes"] for part in found["parts"]) == found["sizeBytes"]
    assert [(share["name"], share["ownBytes"]) for share in found["projects"]] == [
        ("Shop", store.path(sha256).stat().st_blocks * 512)
    ]
    page = await client.get("/admin/disk")
    assert page.status_code == 200, page.text
    assert "Unexplained" in page.text


GB = 1 << 30
_USED = [
    Used("old", 3 * GB, 1),
    Used("huge", 9 * GB, 9),
    Used("new", 2 * GB, 5),
    Used("empty", 0, 0),
]


@pytest.mark.parametrize(
    ("budget", "free", "going"),
    [
        (Disk(), 100 * GB, ["huge"]),
        (Disk(project_cache_bytes=10 * GB, cache_bytes=20 * GB), 100 * GB, []),
        (Disk(project_cache_bytes=10 * GB, cache_bytes=12 * GB), 100 * GB, ["old"]),
        (Disk(project_cache_bytes=10 * GB, floor_bytes=2 * GB), 1 * GB, ["old"]),
        (Disk(project_cache_bytes=10 * GB, floor_bytes=5 * GB), 1 * GB, ["old", "new"]),
        (Disk(floor_bytes=5 * GB), 1 * GB, ["huge"]),
        (Disk(floor_bytes=900 * GB), 1 * GB, ["huge", "old", "new"]),
    ],
)
def test_the_longest_unused_go_first_and_no_more_than_is_needed(
    budget: Disk, free: int, going: list[str]
) -> None:
    assert [used.project for used in reclaiming.choose(_USED, budget, free=free)] == going


async def test_a_project_that_is_being_built_keeps_its_caches(home: Path) -> None:
    write(home / "caches" / _ONE / "dependencies" / "abc" / "x", 50_000)
    nothing = Disk(cache_bytes=0, project_cache_bytes=0, floor_bytes=0)

    async with caches.held(home, _ONE):
        freed = reclaiming.reclaim(home, nothing)

    assert freed.projects == (_TWO,)
    assert freed.busy == (_ONE,)
    assert (home / "caches" / _ONE / "dependencies" / "abc" / "x").exists()
    assert not (home / "caches" / _TWO / "home").exists()
    assert reclaiming.reclaim(home, nothing).projects == (_ONE,)
    assert reclaiming.reclaim(home, nothing).projects == ()
    # Nothing else is ever taken.
    assert (home / "releases").is_dir()
    assert sum(1 for _ in (home / "blobs").rglob("*") if _.is_file()) == 3
