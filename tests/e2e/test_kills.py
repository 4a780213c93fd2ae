"""Kill any process at any step: a deployment always ends, nothing leaks, sites stay up."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sites
from tests.e2e.killing.points import POINTS, Point
from tests.e2e.kills import Town, table
from tests.e2e.test_story import groups_of
from tests.running import Instance, command, until

pytestmark = pytest.mark.xdist_group("kills")
MIB = 1 << 20


# All of them, again and again, for `make test-kills`; a few of each kind for the suite.
KILLS, FROM = int(os.environ.get("KILLS", "0")), int(os.environ.get("KILLS_FROM", "0"))
SAMPLE = (
    "push: Git unpacks it",
    "build: the build command runs",
    "edge: an app has started",
)
RUNS = (
    [POINTS[number % len(POINTS)] for number in range(FROM, FROM + KILLS)]
    if KILLS
    else [point for point in POINTS if point.name in SAMPLE]
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """An instance with small limits, which this file's tests kill."""
    found = Town(
        tmp_path_factory.mktemp("k"),
        WINDLASS_BUILDS__MEMORY_BYTES=str(160 * MIB),
        WINDLASS_BUILDS__TIMEOUT_SECONDS="12",
        WINDLASS_BUILDS__PROCESSES="60",
    )
    if KILLS:
        # One more site that is to answer all the while.
        assert found.static.url
    yield found
    found.stop()


@pytest.fixture(scope="module")
def fragile(town: Town) -> Instance:
    return town.instance


@pytest.fixture(scope="module")
def times() -> Iterator[dict[str, list[float]]]:
    """Seconds from the restart until nothing moved and nothing was left, by point."""
    found: dict[str, list[float]] = {}
    yield found
    if KILLS:
        print(f"\n{table(found)}")


def begin(instance: Instance, folder: Path, *arguments: str) -> str:
    done = instance.cli("deploy", str(folder), "--no-wait", "--json", *arguments)
    return json.loads(done.stdout.strip().splitlines()[-1])["id"]


def until_logged(instance: Instance, id: str, words: str) -> None:
    until(
        lambda: words in instance.api("GET", f"/api/deployments/{id}/logs").text,
        what=f"“{words}” in the log",
    )


def database_of(instance: Instance) -> int:
    return int((instance.home / "postgres" / "postmaster.pid").read_text().split()[0])


def is_clean(instance: Instance, id: str) -> bool:
    return not groups_of(id) and not (instance.home / "work" / id).exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "build", "code", "words"),
    [
        (
            "hog",
            'python3 -c "x = [bytearray(1 << 20) for _ in range(400)]"',
            "OUT_OF_MEMORY",
            "ran out of memory (160 MiB)",
        ),
        ("endless", "while :; do sleep 1; done", "BUILD_TIMEOUT", "12 s"),
        (
            "bomb",
            'python3 -c "import os\nwhile True: os.fork()"',
            "TOO_MANY_PROCESSES",
            "60 processes",
        ),
    ],
)
def test_a_build_that_wants_too_much_ends_and_says_so(
    fragile: Instance, tmp_path: Path, name: str, build: str, code: str, words: str
) -> None:
    done = fragile.deploy(sites.built(tmp_path / name, build), check=False)

    assert (done["status"], done["errorCode"]) == ("error", code), done["errorMessage"]
    assert words in done["errorMessage"]
    until(lambda: is_clean(fragile, done["id"]), what="the build to leave nothing")


@pytest.mark.long
@pytest.mark.parametrize("point", RUNS, ids=lambda point: point.name)
def test_whatever_is_killed_goes_on_and_leaves_nothing(
    town: Town, times: dict[str, list[float]], point: Point
) -> None:
    """C-144: at a named point; sites answer all the while."""
    took = town.kill_at(point)

    times.setdefault(point.name, []).append(took)
    assert not KILLS or took < 30


@pytest.mark.long
def test_a_promotion_that_is_killed_goes_on(fragile: Instance, tmp_path: Path) -> None:
    """What was live serves on until the promoted release is whole and answers."""
    folder = sites.server(tmp_path / "climber", "one")
    first = fragile.deploy(folder)
    sites.server(folder, "two")
    with (folder / "windlass.toml").open("a") as settings:
        settings.write('release_command = \'test -z "$COLOUR" || sleep "$SECONDS_LEFT"\'\n')
    preview = fragile.deploy(folder)
    production = ("--target", "production")
    fragile.cli("env", "set", "COLOUR=green", "SECONDS_LEFT=300", *production, cwd=folder)
    fragile.cli("promote", preview["id"], "--no-wait", cwd=folder)
    until_logged(fragile, preview["id"], "runs with the variables of production")
    fragile.cli("env", "set", "SECONDS_LEFT=0", *production, cwd=folder)

    fragile.kill("-m windlass.control")

    assert fragile.get(first["url"]).text == "one none"
    until(lambda: fragile.get(first["url"]).text == "two green", what="the promotion to go on")
    assert fragile.get(preview["url"]).text == "two none"
    assert not groups_of(f"release-{preview['id']}")


def test_everything_killed_and_started_again(fragile: Instance, tmp_path: Path) -> None:
    """The supervisor, the control plane and the database die; the edge serves on."""
    survivor = sites.worker(sites.server(tmp_path / "survivor", "alive"))
    live = fragile.deploy(survivor)
    until(
        lambda: fragile.cli("logs", "--process", "worker", cwd=survivor).stdout,
        what="the worker to begin",
    )
    workers = sites.workers_of(live["id"])
    assert workers
    script = "echo attempt; sleep 3; mkdir out; cp page.html out/index.html"
    id = begin(fragile, sites.built(tmp_path / "massacre", script))
    until_logged(fragile, id, "attempt")
    edge = fragile.pid("-m windlass.edge")
    database = database_of(fragile)

    fragile.kill("supervisor.py")
    until(
        lambda: not any("-m windlass.control" in command(pid) for pid in fragile.processes()),
        what="the control plane to follow its supervisor",
    )
    until(lambda: not Path(f"/proc/{database}").exists(), what="the database to stop")
    assert fragile.get(live["url"]).text == "alive none"
    fragile.start()

    assert fragile.pid("-m windlass.edge") == edge
    assert workers <= sites.workers_of(live["id"])
    assert fragile.wait(id, "ready", "error")["status"] == "ready"
    assert fragile.get(live["url"]).text == "alive none"


def test_a_killed_database_comes_back(fragile: Instance, tmp_path: Path) -> None:
    live = fragile.deploy(sites.static(tmp_path / "database", "served"))
    control = fragile.pid("windlass.control")
    seen: list[int] = []

    def answers() -> bool:
        seen.append(fragile.api("GET", "/api/projects").status_code)
        return seen[-1] == 200

    for _ in range(2):
        os.kill(database_of(fragile), signal.SIGKILL)
        assert "served" in fragile.get(live["url"]).text
        until(answers, what="the database to come back")

    assert set(seen) <= {200, 503}
    assert fragile.pid("windlass.control") == control
    again = fragile.deploy(sites.static(tmp_path / "database", "again"), "--prod")
    assert "again" in fragile.get(again["url"]).text


@pytest.mark.long
def test_a_builder_that_dies_again_and_again_is_given_up(fragile: Instance, tmp_path: Path) -> None:
    id = begin(fragile, sites.built(tmp_path / "cursed", "echo attempt; sleep 60"))
    for attempt in range(1, 4):
        until(
            lambda n=attempt: (
                fragile.api("GET", f"/api/deployments/{id}/logs").text.count('"message":"attempt"')
                >= n
            ),
            what=f"attempt {attempt}",
        )
        fragile.kill("-m windlass.control")
        until(fragile.is_up, what="the control plane to come back")

    done = fragile.wait(id, "error", "ready")

    assert done["errorCode"] == "BUILDER_DIED"
    until(lambda: is_clean(fragile, id), what="the build to leave nothing")


def test_a_taken_port_and_a_second_start_are_clear_errors(fragile: Instance) -> None:
    second = fragile.cli("up", "--port", str(fragile.port), check=False)
    assert second.returncode == 1
    assert "already" in second.stderr

    (fragile.folder / "other").mkdir()
    other = Instance(fragile.folder / "other")
    taken = other.cli("up", "--port", str(fragile.port), check=False)
    assert taken.returncode == 1
    assert f"Port {fragile.port} is taken" in taken.stderr
