"""What is kept between builds: why it was used or not, and that nothing goes under a build."""

from pathlib import Path

import msgspec
import pytest

from windlass.builds import caches
from windlass.builds.caches import Basis, Caches, Result
from windlass.builds.plan import Plan

PLAN = Plan(
    framework="vite",
    label="Vite",
    kind="static",
    install_command="npm ci",
    lock_file="package-lock.json",
    cache_directories=("node_modules",),
    framework_caches=("node_modules/.cache",),
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def kept(home: Path) -> Caches:
    return Caches(home / "caches" / "proj_1", None)


def basis_of(
    found: Caches, *, lock: bytes = b"1", runtime: str = "22.1", command: str = "npm ci"
) -> Basis:
    plan = msgspec.structs.replace(PLAN, install_command=command)
    basis = found.basis(plan, lock, runtime)
    assert basis is not None
    return basis


def install(home: Path, found: Caches, basis: Basis) -> None:
    """As the install step leaves it."""
    app = home / "app"
    (app / "node_modules").mkdir(parents=True)
    (app / "node_modules" / "left-pad.js").write_text("1")
    found.keep(basis, PLAN, app)
    found.remember(basis)
    app.rmdir()


def test_the_first_build_says_so_and_the_second_needs_nothing(home: Path, kept: Caches) -> None:
    """C-151, C-153."""
    basis = basis_of(kept)
    assert kept.look(basis) == Result(is_hit=False, reason="first build")

    install(home, kept, basis)

    assert kept.look(basis) == Result(is_hit=True, reason="package-lock.json unchanged")
    folder = kept.folders(basis, PLAN)["node_modules"]
    assert (folder / "left-pad.js").read_text() == "1"


def test_each_reason_to_install_again_is_told_from_the_others(home: Path, kept: Caches) -> None:
    install(home, kept, basis_of(kept))

    reasons = [
        kept.look(basis).reason
        for basis in (
            basis_of(kept, lock=b"2"),
            basis_of(kept, runtime="24.0"),
            basis_of(kept, command="npm install"),
            None,
        )
    ]

    assert reasons == [
        "package-lock.json changed",
        "toolchain changed: 22.1 → 24.0",
        "the install command changed",
        "no lock file, nothing is kept",
    ]


@pytest.mark.parametrize(
    ("why", "words"), [("cleaned", "the caches were cleaned"), ("evicted", "free the disk")]
)
def test_what_was_emptied_says_by_whom(
    home: Path, kept: Caches, why: caches.Emptied, words: str
) -> None:
    basis = basis_of(kept)
    install(home, kept, basis)
    kept.framework(PLAN)

    assert caches.empty_unused(home, "proj_1", why)

    assert words in kept.look(basis).reason
    assert words in kept.look_at_framework(PLAN).reason
    assert [path.name for path in (home / "caches" / "proj_1").iterdir()] == ["state.json"]
    # The next build installs, and then it is as if nothing had been.
    install(home, kept, basis)
    assert kept.look(basis).is_hit
    assert kept.look(basis_of(kept, lock=b"2")).reason == "package-lock.json changed"


@pytest.mark.anyio
async def test_nothing_is_removed_under_a_build(home: Path, kept: Caches) -> None:
    basis = basis_of(kept)
    install(home, kept, basis)

    async with caches.held(home, "proj_1"), caches.held(home, "proj_1"):
        assert not caches.empty_unused(home, "proj_1", "cleaned")
        assert kept.look(basis).is_hit
    assert caches.empty_unused(home, "proj_1", "cleaned")
    assert not kept.look(basis).is_hit


def test_what_a_kill_left_half_removed_goes_the_next_time(home: Path, kept: Caches) -> None:
    install(home, kept, basis_of(kept))
    left = home / "caches" / "proj_1" / ".dependencies.gone" / "x"
    left.mkdir(parents=True)

    caches.empty_unused(home, "proj_1", "evicted")

    assert not left.parent.exists()


def test_caches_of_pull_requests_go_with_the_others(home: Path) -> None:
    inside = Caches(home / "caches" / "proj_1" / "pull-7", None)
    install(home, inside, basis_of(inside))

    assert caches.empty_unused(home, "proj_1", "cleaned")
    assert inside.look(basis_of(inside)).reason == "the caches were cleaned"


def test_a_state_that_is_nonsense_is_no_state(home: Path, kept: Caches) -> None:
    folder = home / "caches" / "proj_1"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{")

    assert kept.look(basis_of(kept)).reason == "first build"
