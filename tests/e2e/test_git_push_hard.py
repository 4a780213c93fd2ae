"""`git push windlass main` when something is in its way: each time one clear line in the terminal,
and nothing left behind."""

import fcntl
import os
import signal
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sites
from tests.e2e.repository import Repository
from tests.inputs.git_server import git
from tests.running import PATIENCE_SECONDS, Instance, until

LIMIT = 4 << 20
WAIT = "until [ -e go ]; do sleep 0.1; done"
BUILD = 'build_command = "{}"\noutput_directory = "."\n'


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of its own: it takes little, and its control plane is killed."""
    found = Instance(tmp_path_factory.mktemp("push"), WINDLASS_UPLOADS__MAX_BYTES=str(LIMIT))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def pushed(small: Instance, tmp_path: Path) -> Repository:
    """A repository that has a project and was not pushed yet."""
    repository = Repository(sites.static(tmp_path / f"push-{tmp_path.name[:20]}", "one"), small)
    repository.commit("Say one")
    small.cli("git", "connect", cwd=repository.folder)
    return repository


def refused(repository: Repository) -> str:
    """What the terminal says of a push that is refused."""
    done = repository.git("push", "windlass", "main", check=False)
    assert done.returncode == 1, done.stderr
    assert "[remote rejected] main -> main" in done.stderr
    return done.stderr


def left(instance: Instance) -> list[Path]:
    """What pushes that are over left in the folders of the instance."""
    drafts = [path for path in (instance.home / "blobs/tmp").glob("*/*") if path.exists()]
    return drafts + list((instance.home / "work").iterdir())


def test_a_push_beyond_the_limit_names_it(pushed: Repository) -> None:
    (pushed.folder / "large.bin").write_bytes(os.urandom(LIMIT + (LIMIT >> 1)))
    pushed.commit("Add something large")

    assert "The push is larger than 4.0 MiB" in refused(pushed)

    # With the file gone from its history the same branch is taken.
    pushed.git("reset", "--quiet", "--hard", "HEAD~1")
    pushed.git("push", "windlass", "main")
    until(lambda: not left(pushed.instance), what="nothing to be left")


def test_a_small_pack_that_becomes_large_is_stopped(pushed: Repository) -> None:
    (pushed.folder / "zeros.bin").write_bytes(bytes(16 * LIMIT))
    pushed.commit("Add nothing, sixty-four million times")

    assert "larger than 4.0 MiB" in refused(pushed)
    until(lambda: not left(pushed.instance), what="nothing to be left")


def test_a_few_trees_that_become_ten_thousand_million_files_are_stopped(
    pushed: Repository,
) -> None:
    folder = pushed.folder
    found = git(folder, "hash-object", "-w", "--stdin", text="x")
    kind = "100644 blob"
    for _ in range(10):
        lines = "".join(f"{kind} {found}\tf{number}\n" for number in range(10))
        found, kind = git(folder, "mktree", text=lines), "040000 tree"
    sha = git(folder, "commit-tree", found, "-m", "Grow")
    git(folder, "update-ref", "refs/heads/main", sha)

    assert "more than 50000 files" in refused(pushed)
    until(lambda: not left(pushed.instance), what="nothing to be left")


def test_a_second_push_at_once_is_told_to_wait(pushed: Repository) -> None:
    pushed.git("push", "windlass", "main")
    project = pushed.newest()["projectId"]
    lock = pushed.instance.home / "caches" / str(project) / "git" / "lock"
    sites.static(pushed.folder, "two")
    pushed.commit("Say two")
    with lock.open("w") as file:
        # As the push that came first holds it while it is taken in.
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "Another push of this project is being taken in" in refused(pushed)
    pushed.git("push", "windlass", "main")
    assert pushed.newest()["commitMessage"] == "Say two"


def test_what_earlier_pushes_left_may_be_lost(pushed: Repository) -> None:
    pushed.git("push", "windlass", "main")
    cache = pushed.instance.home / "caches" / str(pushed.newest()["projectId"]) / "git"
    for pack in (cache / "repo/objects/pack").glob("pack-*"):
        pack.unlink()
    (cache / "repo/objects/pack/tmp_pack_of_a_kill").touch()
    sites.static(pushed.folder, "two")
    pushed.commit("Say two")

    assert "Push once more" in refused(pushed)

    pushed.git("push", "windlass", "main")
    assert pushed.newest()["commitMessage"] == "Say two"
    assert not list((cache / "repo/objects/pack").glob("tmp_*"))


def test_a_very_long_log_comes_whole(pushed: Repository) -> None:
    (pushed.folder / "windlass.toml").write_text(BUILD.format("seq 1 30000"))
    pushed.commit("Say much")

    done = pushed.git("push", "windlass", "main")

    said = [line.removeprefix("remote:").strip() for line in done.stderr.splitlines()]
    assert [int(line) for line in said if line.isdigit()] == list(range(1, 30_001))
    assert "remote: Live: " in done.stderr


def test_who_leaves_in_the_middle_leaves_the_build_running(pushed: Repository) -> None:
    leaving = started(pushed)
    made = building(pushed)

    # As Ctrl-C does: with the helper that speaks HTTP for it.
    os.killpg(leaving.pid, signal.SIGKILL)
    leaving.communicate(timeout=PATIENCE_SECONDS)

    assert let_go(pushed.instance, made)["status"] == "ready"


def test_a_killed_control_plane_ends_a_push_and_leaves_nothing(pushed: Repository) -> None:
    instance = pushed.instance
    with half_a_push(pushed):
        until(lambda: left(instance), what="half a push")
        watching = started(pushed)
        made = building(pushed)

        instance.kill("-m windlass.control")

        said, _ = watching.communicate(timeout=PATIENCE_SECONDS)
    assert watching.returncode != 0, said
    until(instance.is_up, what="the next control plane")
    # Whoever takes over builds it to its end.
    assert building(pushed, attempt=2) == made
    assert let_go(instance, made)["status"] == "ready"
    until(lambda: not left(instance), what="nothing to be left")


def started(repository: Repository) -> subprocess.Popen[str]:
    """`git push` of a commit whose build waits for `let_go`."""
    (repository.folder / "windlass.toml").write_text(BUILD.format(WAIT))
    repository.commit("Wait")
    return subprocess.Popen(
        ["git", "push", "windlass", "main"],
        cwd=repository.folder,
        env=repository.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def building(repository: Repository, *, attempt: int = 1) -> str:
    """The id of its deployment, once its build command runs for the nth time."""
    instance = repository.instance
    sha = repository.git("rev-parse", "HEAD").stdout.strip()

    def look() -> str | None:
        found = instance.api("GET", "/api/deployments?limit=5").json()["data"]
        id = next((each["id"] for each in found if each["commitSha"] == sha), None)
        if id is None:
            return None
        log = instance.api("GET", f"/api/deployments/{id}/logs").text
        return id if log.count(f"$ {WAIT}") == attempt else None

    return until(look, what=f"attempt {attempt} of the build")


def let_go(instance: Instance, id: str) -> dict[str, object]:
    """The deployment at its end."""
    (instance.home / "work" / id / "app" / "go").touch()
    return instance.wait(id, "ready", "error", "cancelled")


def half_a_push(repository: Repository) -> socket.socket:
    """A connection on which a push began and never ends."""
    instance = repository.instance
    path = repository.git("remote", "get-url", "windlass").stdout.strip().split("/", 3)[3]
    token = b64encode(f"x:{instance.token}".encode()).decode()
    head = (
        f"POST /{path}/git-receive-pack HTTP/1.1\r\nHost: localhost:{instance.port}\r\n"
        f"Authorization: Basic {token}\r\nContent-Type: application/x-git-receive-pack-request\r\n"
        f"Content-Length: {LIMIT}\r\n\r\n"
    )
    found = socket.create_connection(("127.0.0.1", instance.port))
    found.sendall(head.encode() + bytes(LIMIT >> 1))
    return found
