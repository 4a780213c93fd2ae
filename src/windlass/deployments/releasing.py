"""The release command: once for a release, before any visitor reaches it, one at a time for a
project.

Migrations are what it is for. Two of them at once would find each other's half-made tables, so a
deployment waits for the one before. The lock is the database's and ends with who holds it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from windlass.adapters.world import world
from windlass.builds import once, release
from windlass.builds.plan import Plan
from windlass.builds.release import Release
from windlass.builds.steps import BuildFailed, Log
from windlass.core import launch
from windlass.core.context import Ctx
from windlass.core.db import Database
from windlass.core.egress import Egress
from windlass.core.languages import N_
from windlass.core.launch import Exit, Launch, Limits, sentence
from windlass.core.threads import blocking

_LOOK_SECONDS = 0.5
_CLOSE_SECONDS = 5
_LOCK = "select pg_try_advisory_lock(hashtextextended($1, 0))"
# A machine that loses its power says nothing: the server asks for it, and ends its lock.
_NOTICE = """
set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3
"""


async def run(
    ctx: Ctx,
    project_id: UUID,
    plan: Plan,
    wanted: Release,
    log: Log,
    *,
    done: Path | None = None,
) -> None:
    """Run it in the finished release; with `done` not when that says that it has run before.

    Raises BuildFailed.
    """
    if plan.release_command is None:
        return
    log.step = "release"
    name = f"release:{project_id}"
    async with alone(ctx.database, name, on_wait=lambda: log.say(_WAITING)):
        if done is not None and await blocking(done.exists):
            # The builder died between its end and ours.
            log.say("The release command has run for this release; it runs once")
            return
        await _run(ctx, plan, wanted, log)
        if done is not None:
            await blocking(_note, done)


def mark(home: Path, deployment: str) -> Path:
    """The file that says that the command of this release has run."""
    return home / "run" / "released" / deployment


@asynccontextmanager
async def alone(
    database: Database, name: str, *, on_wait: Callable[[], None]
) -> AsyncGenerator[None]:
    """Hold the lock of that name; whoever else wants it waits. It ends with its connection."""
    connection = await database.connect()
    try:
        await connection.execute(_NOTICE)
        is_first = True
        while not await connection.fetchval(_LOCK, name):
            if is_first:
                is_first = False
                on_wait()
            await asyncio.sleep(_LOOK_SECONDS)
        yield
    finally:
        # Not cut: who comes next would find the lock held until the server notices.
        await connection.close(timeout=_CLOSE_SECONDS)


_WAITING = "Waiting for the release command of another deployment of this project"


async def _run(ctx: Ctx, plan: Plan, wanted: Release, log: Log) -> None:
    command = plan.release_command or ""
    log.say(f"$ {command}")
    spec = await blocking(release.launch_of, ctx.settings, plan, wanted, command, "release")
    if plan.container is not None:
        ended = await once.run(ctx.settings, world(ctx), plan, wanted, command, on_output=log.write)
    else:
        ended = await _sandboxed(ctx, spec, log)
    if ended.code != 0 or ended.reason is not None:
        raise _failure(command, ended, spec.limits)


async def _sandboxed(ctx: Ctx, spec: Launch, log: Log) -> Exit:
    await blocking(launch.sweep, spec.name)
    running = await launch.start(spec, on_output=log.write, egress=Egress(world(ctx).app_egress))
    try:
        return await running.wait(timeout_seconds=ctx.settings.builds.release_timeout_seconds)
    except BaseException:
        await running.kill()
        raise


def _failure(command: str, ended: Exit, limits: Limits) -> BuildFailed:
    if ended.reason is None and ended.code is not None:
        said = N_("The release command failed (exit code {code}): {command}").format(
            code=ended.code, command=command
        )
        return BuildFailed("RELEASE_FAILED", said)
    text = N_("The release command was ended: {command}. {why}").format(
        command=command, why=sentence(ended, limits)
    )
    return BuildFailed("RELEASE_FAILED", text)


def _note(done: Path) -> None:
    done.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    done.touch()
