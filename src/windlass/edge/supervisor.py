"""Decides which apps run: those that a link in `sites/` points to, and those being warmed.

It acts on what is there, never on messages; a message only makes it look sooner.
"""

import asyncio
import os
import time
from pathlib import Path

import msgspec

from windlass.core import links, process, runtime_log
from windlass.core import site as sites
from windlass.core.process import Process
from windlass.core.runtime_log import Keep
from windlass.core.site import Site
from windlass.edge import log
from windlass.edge.app import App, Down, State
from windlass.edge.applog import AppLog
from windlass.edge.backoff import FIRST_RETRY_SECONDS
from windlass.edge.crew import Crew, Idle, WorkerStatus
from windlass.edge.runner import Slots, Start
from windlass.edge.tunnel import GOING_AWAY

LOOK_SECONDS = 2.0
WARM_SECONDS = 90.0
STARTING_AT_ONCE = 4
KEEP = Keep()
# Two changes within one tick of the file system's clock have the same time.
_COARSE_NANOSECONDS = 5_000_000_000


class AppStatus(msgspec.Struct, frozen=True):
    """One app in the answer of `GET /status`: its web process, and the others by their names.

    `since` is Unix time.
    """

    state: State
    pid: int | None
    restarts: int
    in_flight: int
    since: float
    memory_bytes: int
    reason: str | None
    processes: dict[str, WorkerStatus] = {}


class WarmFailed(Exception):
    """A release did not come up; the text is one line, `lines` the end of its log."""

    def __init__(self, reason: str, lines: list[str]) -> None:
        super().__init__(reason)
        self.lines = lines


class Supervisor:
    """All apps of one instance."""

    def __init__(
        self,
        home: Path,
        *,
        start: Start,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
        data_keys: tuple[bytes, ...] = (),
        logs: Keep = KEEP,
    ) -> None:
        self._home = home
        self._data_keys = data_keys
        self._logs = logs
        self._start = start
        self._first_retry = first_retry_seconds
        self._apps: dict[str, App] = {}
        self._slots = Slots(STARTING_AT_ONCE)
        self._seen = -1
        self._static: set[str] = set()
        self._restless = False
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    def watch(self) -> None:
        """Look now and from then on whenever `sites/` has changed."""
        if self._stopping:
            return
        changed = self._changed_at()
        recent = time.time_ns() - changed < _COARSE_NANOSECONDS
        if changed != self._seen or recent or self._restless:
            self._seen = changed
            self.look()
        self.rest()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self.watch)

    def look(self) -> None:
        """Make what runs equal to what is wanted."""
        if self._stopping:
            return
        now = time.monotonic()
        hosts = {deployment: host for host, deployment in links.routes(self._home).items()}
        self._static &= hosts.keys()
        self._restless = False
        for deployment, host in hosts.items():
            if deployment in self._apps or deployment in self._static:
                continue
            if (site := self._server(deployment)) is not None:
                # One that may sleep is not woken by a restart of the edge.
                self._add(site, host=host, is_live=True, is_wanted=not site.idle_seconds)
        for deployment, app in list(self._apps.items()):
            if app.warm_until and app.warm_until < now:
                app.warm_until = 0.0
            if deployment in hosts or app.warm_until:
                self._restless |= app.warm_until > 0
                app.set_live(deployment in hosts)
                if app.is_live:
                    # It was warmed for this, and ends with its last host.
                    app.warm_until = 0.0
                # One that was stopped on purpose waits for a visitor.
                if not app.is_parked:
                    app.want()
            elif app.is_gone:
                del self._apps[deployment]
            else:
                self._restless = True
                app.let_go()

    def rest(self) -> None:
        """Let those sleep that nobody asks for; their next visitor wakes them."""
        now = time.monotonic()
        for deployment, app in self._apps.items():
            if app.is_idle(now):
                log.event("edge.app_asleep", deployment=deployment)
                app.sleep()

    def of(self, site: Site, host: str) -> App:
        """The app behind a link that was read just now."""
        app = self._apps.get(site.deployment)
        if app is None:
            app = self._add(site, host=host, is_live=True)
        if not app.is_live:
            # It was switched to this moment: its workers are to start, those of the old one to end.
            app.set_live(True)
            asyncio.get_running_loop().call_soon(self.look)
        return app

    async def warm(self, site: Site, *, deadline_seconds: float, host: str) -> float:
        """Start a release that is not linked yet; the seconds until it answered well.

        Raises WarmFailed at the first start that fails, or after the deadline.
        """
        began = time.monotonic()
        app = self._apps.get(site.deployment) or self._add(site, host=host)
        app.host = host
        app.warm_until = began + deadline_seconds + WARM_SECONDS
        try:
            async with asyncio.timeout(deadline_seconds):
                await app.prove()
        except Down as down:
            reason = str(down)
        except TimeoutError:
            path = site.health_path
            reason = f"No good answer on {path} within {deadline_seconds:g} s: {app.last_answer}."
        else:
            # One that a host points at already ends with its last host.
            app.warm_until = 0.0 if app.is_live else time.monotonic() + WARM_SECONDS
            return time.monotonic() - began
        app.output.flush()
        lines = app.output.tail()
        app.warm_until = 0.0
        if site.deployment not in links.routes(self._home).values():
            await self.stop(site.deployment)
        raise WarmFailed(reason, lines)

    async def settle(self, site: Site, *, steady_seconds: float) -> None:
        """Returns when the workers of a linked release have been at work for so long. Raises
        WarmFailed at the first that is not, or after the release's time to start."""
        self.look()
        app = self._apps.get(site.deployment)
        if app is None or not app.is_live:
            raise WarmFailed("No host points at this release.", [])
        app.want()
        try:
            async with asyncio.timeout(site.start_timeout_seconds + steady_seconds):
                await app.crew.prove(steady_seconds)
        except Idle as idle:
            raise WarmFailed(str(idle), idle.lines) from idle
        except TimeoutError:
            reason = f"Its workers were not at work within {site.start_timeout_seconds:g} s."
            raise WarmFailed(reason, []) from None

    async def stop(self, deployment: str) -> bool:
        """End an app now; true when there was one. A linked one wakes with its next visitor."""
        app = self._apps.get(deployment)
        if app is None:
            return False
        app.warm_until = 0.0
        await app.stop()
        self.look()
        return True

    async def say_goodbye(self) -> None:
        """Every WebSocket gets its close frame: this edge ends."""
        await asyncio.gather(*(app.ending.announce(GOING_AWAY) for app in self._apps.values()))

    async def close(self) -> None:
        """End everything."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*(app.stop() for app in self._apps.values()))

    def status(self) -> dict[str, AppStatus]:
        """Every app there is."""
        return {deployment: _status(app) for deployment, app in self._apps.items()}

    def _add(self, site: Site, *, host: str, is_live: bool = False, is_wanted: bool = True) -> App:
        def read() -> Process:
            return process.read(self._home, site.deployment, self._data_keys)

        def output(name: str) -> AppLog:
            where = runtime_log.folder(self._home, site.deployment)
            return AppLog(where, name, self._logs)

        crew = Crew(
            site.deployment,
            read=read,
            start=self._start,
            output=output,
            slots=self._slots,
            first_retry_seconds=self._first_retry,
        )
        app = App(
            site,
            read=read,
            start=self._start,
            output=output(process.WEB),
            slots=self._slots,
            crew=crew,
            first_retry_seconds=self._first_retry,
        )
        app.host = host
        app.is_live = is_live
        self._apps[site.deployment] = app
        app.is_parked = not is_wanted
        if is_wanted:
            app.want()
        return app

    def _server(self, deployment: str) -> Site | None:
        try:
            site = sites.read(sites.folder(self._home, deployment))
        except (OSError, msgspec.MsgspecError) as error:
            log.event("edge.release_unreadable", deployment=deployment, error=str(error))
            return None
        if site.kind != "static":
            return site
        self._static.add(deployment)
        return None

    def _changed_at(self) -> int:
        try:
            return os.stat(self._home / "sites").st_mtime_ns
        except FileNotFoundError:
            return 0


def _status(app: App) -> AppStatus:
    running, processes = app.running, app.crew.status()
    memory = running.memory_bytes() if running else 0
    if app.has_no_web:
        memory = sum(each.memory_bytes for each in processes.values())
    return AppStatus(
        state="asleep" if app.is_parked and app.state == "stopped" else app.state,
        pid=running.pid if running else None,
        restarts=sum(each.restarts for each in processes.values())
        if app.has_no_web
        else app.restarts,
        in_flight=app.in_flight,
        since=app.since,
        memory_bytes=memory,
        reason=app.reason if app.state == "waiting" else None,
        processes=processes,
    )
