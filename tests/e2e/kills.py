"""What is done while something is killed, and what must be true afterwards."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from tests.e2e import sites
from tests.e2e.killing.points import POINTS, Point
from tests.e2e.test_git_push import Repository
from tests.e2e.test_story import groups_of
from tests.running import Instance, command, until

FOLDER = Path(__file__).with_name("killing")


@dataclass(frozen=True)
class Project:
    """One that is live."""

    id: str
    source: str
    folder: Path
    path: str
    url: str


class Town:
    """An instance with a site for each kind of thing that may be interrupted."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.orders = folder / "orders"
        self.orders.mkdir()
        self.live: list[str] = []
        self.killed: list[int] = []
        self.instance = Instance(
            folder,
            PYTHONPATH=str(FOLDER),
            KILL_FOLDER=str(self.orders),
            WINDLASS_APPS__DRAIN_SECONDS="2",
            **settings,
        )
        self.instance.start()
        self.folder = folder
        self.number = 0

    @cached_property
    def built(self) -> Project:
        return self._project(sites.installed(self.folder / "kill-built"))

    @cached_property
    def server(self) -> Project:
        folder = sites.worker(sites.server(self.folder / "kill-server", "alive"))
        with (folder / "windlass.toml").open("a") as toml:
            toml.write('release_command = "sleep 0.3; echo released"\n')
        return self._project(folder)

    @cached_property
    def static(self) -> Project:
        return self._project(sites.static(self.folder / "kill-static", "still here"))

    @cached_property
    def pushed(self) -> Repository:
        found = Repository(sites.static(self.folder / "kill-pushed", "pushed"), self.instance)
        found.commit("Say one")
        self.instance.cli("git", "connect", cwd=found.folder)
        found.git("push", "windlass", "main")
        return found

    def _project(self, folder: Path) -> Project:
        found = self.instance.deploy(folder, "--prod")
        keep = {"keepReleases": 2}
        path = f"/api/projects/{found['projectId']}"
        assert self.instance.api("PATCH", path, json=keep).status_code == 200
        [source] = self.rows(
            "select source_id from deployments order by created_at desc, id desc limit 1"
        )
        self.live.append(found["url"])
        return Project(
            id=found["projectId"],
            source=f"src_{source['source_id'].hex}",
            folder=folder,
            path=path,
            url=found["url"],
        )

    def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Directly from the database: the panel may be the one that is dead."""

        async def ask() -> list[asyncpg.Record]:
            url = f"postgresql://postgres@/windlass?host={self.instance.home}/run/pg"
            connection = await asyncpg.connect(url)
            try:
                return await connection.fetch(query, *values)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def do(self, method: str, path: str, body: object = None) -> Any:
        """Ask for something; whoever answers may be killed meanwhile."""
        try:
            answer = self.instance.api(method, path, json=body)
        except httpx2.HTTPError:
            return None
        return answer.json()["data"] if answer.is_success and answer.content else None

    def deploy(self, project: Project, *, production: bool = True) -> str | None:
        body = {
            "projectId": project.id,
            "sourceId": project.source,
            "production": production,
        }
        made = self.do("POST", "/api/deployments", body)
        return made["id"] if made else None

    # What is done, by the name that the points give it.

    def upload(self) -> Callable[[], None]:
        self.number += 1
        folder = sites.static(self.static.folder, f"still here, {self.number}")
        self.instance.cli("deploy", str(folder), "--prod", "--no-wait", check=False)

        def again() -> None:
            done = self.instance.deploy(folder, "--prod")
            assert f"still here, {self.number}" in self.instance.get(done["url"]).text

        return again

    def push(self) -> Callable[[], None]:
        self.number += 1
        sites.static(self.pushed.folder, f"pushed {self.number}")
        self.pushed.commit(f"Say {self.number}")
        self.pushed.git("push", "windlass", "main", check=False)

        def again() -> None:
            self.pushed.git("push", "windlass", "main")
            url = str(self.pushed.newest()["url"])
            assert f"pushed {self.number}" in self.instance.get(url).text

        return again

    def build(self) -> Callable[[], None]:
        return self._ready(self.deploy(self.built), self.built)

    def fresh(self) -> Callable[[], None]:
        """A build that finds no dependencies."""
        self.do("DELETE", f"{self.built.path}/caches")
        place = self.instance.home / "caches" / self.built.id / "dependencies"
        until(lambda: not place.is_dir() or not list(place.iterdir()), what="the caches to go")
        return self.build()

    def server_(self) -> Callable[[], None]:
        return self._ready(self.deploy(self.server), self.server)

    def rollback(self) -> Callable[[], None]:
        path = f"/api/deployments?projectId={self.server.id}&status=ready&isPreview=false"
        before = [row["id"] for row in self.do("GET", path) if not row["isActive"]]
        if not before:
            before = [row["id"] for row in self.do("GET", path)]
            self.instance.wait(str(self.deploy(self.server)), "ready")
        self.do("POST", f"/api/deployments/{before[0]}/rollback")
        return lambda: None

    def promote(self) -> Callable[[], None]:
        id = str(self.deploy(self.server, production=False))
        assert self.instance.wait(id, *("ready", "error"))["status"] == "ready"
        self.do("POST", f"/api/deployments/{id}/promote")
        return lambda: None

    def cancel(self) -> Callable[[], None]:
        id = str(self.deploy(self.built))
        self.instance.wait(id, "building", "deploying", "ready")
        self.do("POST", f"/api/deployments/{id}/cancel")
        return lambda: None

    def preview(self) -> Callable[[], None]:
        id = str(self.deploy(self.static, production=False))
        found = self.instance.wait(id, "ready", "error")
        assert found["status"] == "ready", found
        self.do("DELETE", f"/api/deployments/{id}")

        def gone() -> None:
            self.do("DELETE", f"/api/deployments/{id}")
            until(
                lambda: self.instance.get(found["url"]).status_code == 404,
                what="the preview to be gone",
            )

        return gone

    def clean(self) -> Callable[[], None]:
        self.do("DELETE", f"{self.built.path}/caches")
        return lambda: None

    def restart(self) -> Callable[[], None]:
        """Killed in a build, and again where it starts."""
        id = self.deploy(self.built)
        with contextlib.suppress(AssertionError):
            self.instance.kill("-m windlass.control")
        return self._ready(id, self.built)

    def _ready(self, id: str | None, project: Project) -> Callable[[], None]:
        def check() -> None:
            if id is not None:
                found = self.instance.wait(id, "ready", "error", "cancelled")
                assert found["status"] == "ready", found["errorMessage"]
            assert self.instance.get(project.url).status_code == 200

        return check

    # What must be true, whoever was killed.

    def kill_at(self, point: Point) -> float:
        """One run; the seconds from the restart until nothing moved and nothing was left."""
        order = self.orders / str(POINTS.index(point))
        victims = {"control": "-m windlass.control", "edge": "-m windlass.edge"}
        name = "server_" if point.scenario == "server" else point.scenario
        getattr(self, point.needs)
        before = self.instance.pid(victims[point.part])
        with self.watched(is_strict=point.part != "edge") as failures:
            order.touch()
            check: Callable[[], None] = getattr(self, name)()
            until(lambda: not order.exists(), what=f"“{point.name}” to be reached")
            if point.victim == "self":
                self.killed.append(before)
                until(lambda: not Path(f"/proc/{before}").exists(), what="it to die")
            if point.victim == "supervisor":
                until(self._is_down, what="the control plane to follow its supervisor")
                self.instance.start()
            until(self._is_up, what="it to come back")
            began = time.monotonic()
            until(self.is_still, what="everything to end")
            until(lambda: not self.left_over(), what="nothing to be left")
            took = time.monotonic() - began
            check()
            until(self.is_still, what="everything to end")
            until(lambda: not self.left_over(), what="nothing to be left")
        assert not failures, failures[:3]
        return took

    def _is_down(self) -> bool:
        return not any("-m windlass.control" in command(pid) for pid in self.instance.processes())

    def _is_up(self) -> bool:
        return self.instance.is_up() and self.do("GET", "/api/projects") is not None

    def is_still(self) -> bool:
        """No deployment moves, no host waits for one, no job is to be done."""
        try:
            [row] = self.rows(
                "select (select count(*) from deployments where status in"
                " ('QUEUED', 'BUILDING', 'DEPLOYING')) + (select count(*) from sites"
                " where generation <> settled) + (select count(*) from pgqueuer) as n"
            )
        except (OSError, asyncpg.PostgresError):
            return False
        return row["n"] == 0

    def left_over(self) -> list[str]:
        """What nobody needs and is there."""
        home = self.instance.home
        found = [f"work/{path.name}" for path in (home / "work").glob("*")]
        rows = self.rows(
            "select id, status, is_active, pruned_at, lease_token, exists (select from sites s"
            " where s.active_id = d.id) as is_served from deployments d"
        )
        kept: set[str] = set()
        for row in rows:
            id = f"depl_{row['id'].hex}"
            if row["lease_token"] is not None:
                found.append(f"lease of {id}")
            if row["status"] == "READY" and row["pruned_at"] is None:
                kept |= {id, f"{id}-live"}
            for group in groups_of(id):
                if f"app-{id}" not in group.name:
                    found.append(f"group {group.name}")
                elif not row["is_served"]:
                    found.append(f"group {group.name} of what is not served")
        found += [
            f"group {group.name} of a dead process"
            for pid in self.killed
            for group in groups_of(f".{pid}.")
            if group.name.startswith("windlass.")
        ]
        releases = {path.name for path in (home / "releases").glob("*")}
        found += [f"releases/{name}" for name in sorted(releases - kept)]
        for link in (home / "sites").glob("*"):
            if link.is_symlink() and not link.resolve().is_dir():
                found.append(f"link {link.name} to nothing")
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        found += [f"mount {line.split()[1]}" for line in mounts if f"{home}/" in line]
        return found

    @contextlib.contextmanager
    def watched(self, *, is_strict: bool) -> Generator[list[str]]:
        """Visitors of the sites that are live, all the while."""
        failures: list[str] = []
        over = threading.Event()

        def visit() -> None:
            while not over.wait(0.1):
                for url in tuple(self.live):
                    try:
                        answer = self.instance.get(url)
                        is_well = answer.status_code == 200
                        said = str(answer.status_code)
                    except httpx2.HTTPError as error:
                        is_well, said = False, repr(error)
                    if is_strict and not is_well:
                        failures.append(f"{url}: {said}")

        visitor = threading.Thread(target=visit)
        visitor.start()
        try:
            yield failures
        finally:
            over.set()
            visitor.join()

    def stop(self) -> None:
        self.instance.stop()
        assert not self.instance.processes(), [command(pid) for pid in self.instance.processes()]


def table(results: dict[str, list[float]]) -> str:
    """Points and the seconds until everything was as it should be, for people."""
    lines = [f"{'killed at':52}  runs  longest, s"]
    lines += [f"{name:52}  {len(times):4}  {max(times):10.1f}" for name, times in results.items()]
    return "\n".join(lines)
