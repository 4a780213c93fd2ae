"""JSON: what the processes of an app wrote, searched backwards, followed live, or as a file."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery
from litestar.response import Stream
from msgspec import Meta

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids, runtime_log
from windlass.core.http import Request
from windlass.core.runtime_log import Level
from windlass.core.schemas import CursorText, Out, Page
from windlass.deployments import promoting, runtime_logs, streams
from windlass.deployments.deps import InDeployment
from windlass.deployments.models import Deployment
from windlass.deployments.runtime_logs import Places, Wanted

LOOK_SECONDS = 0.4
_MOST_LINES = 1000
_LONGEST_CURSOR = 1000

ProcessName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,63}$", description="Only this process: `web`, `worker`.")
]
Search = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="Text of the line, in any case of its letters."),
]
LineLimit = Annotated[int, Meta(ge=1, description="How many lines at the most; 1000 are the most.")]
Since = Annotated[dt.datetime, Meta(tz=True, description="Not before this time.")]
Until = Annotated[dt.datetime, Meta(tz=True, description="Not after this time.")]


After = Annotated[
    str, Meta(max_length=_LONGEST_CURSOR, description="The `id` of the last event that one has.")
]


class RuntimeLine(Out):
    """A line that a process wrote."""

    time: dt.datetime
    process: str
    level: Level
    message: str


async def provide_wanted(
    process: FromQuery[ProcessName | None] = None,
    search: FromQuery[Search | None] = None,
    level: FromQuery[Level | None] = None,
    since: FromQuery[Since | None] = None,
    until: FromQuery[Until | None] = None,
) -> Wanted:
    """Which lines are asked for."""
    return Wanted(
        process=process,
        search=search or "",
        level=level,
        since=runtime_logs.stamp(since) if since else None,
        until=runtime_logs.stamp(until) if until else None,
    )


Lines = NamedDependency[Wanted]


def folder_of(request: Request, deployment: Deployment) -> Path:
    """Where the output of what this deployment serves lies."""
    name = ids.public("depl", deployment.id)
    if deployment.is_active and promoting.has_live_release(deployment):
        name = promoting.live_name(name)
    return runtime_log.folder(request.app.state.settings.folder, name)


@get("/{deployment_id:str}/logs/runtime", permission=Permission.deploy_read, rate="page")
async def list_runtime_lines(
    request: Request,
    deployment: InDeployment,
    wanted: Lines,
    limit: FromQuery[LineLimit] = 200,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[RuntimeLine]:
    """What the app itself wrote, newest first. Fewer lines than the limit with a cursor: that much
    was looked through without finding more, and the cursor goes on from there."""
    where = folder_of(request, deployment)
    count = min(limit, _MOST_LINES)
    found = await asyncio.to_thread(runtime_logs.newest, where, wanted, limit=count, cursor=cursor)
    return Page([_out(line) for line in found.lines], found.cursor)


@get("/{deployment_id:str}/logs/runtime/stream", permission=Permission.deploy_read, rate="page")
async def stream_runtime_lines(
    request: Request,
    actor: CurrentActor,
    deployment: InDeployment,
    wanted: Lines,
    last: FromQuery[LineLimit] = 50,
    after: FromQuery[After | None] = None,
) -> Stream:
    """Server-sent events: the last lines, or what came `after`, then each as it is written.
    `Last-Event-ID` resumes."""
    resumed = request.headers.get("last-event-id", "")[:_LONGEST_CURSOR] or after
    sight = streams.Sight(request.app.state.database, actor)
    found = follow(
        folder_of(request, deployment),
        wanted,
        places=runtime_logs.parse(resumed) if resumed else None,
        last=min(last, _MOST_LINES),
        is_seen=lambda: sight.reaches("deployment", str(deployment.id)),
    )
    headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
    return Stream(found, media_type="text/event-stream", headers=headers)


@get(
    "/{deployment_id:str}/logs/runtime/download",
    permission=Permission.deploy_read,
    rate="write",
    streams=("text/plain",),
)
async def download_runtime_lines(
    request: Request, deployment: InDeployment, wanted: Lines
) -> Stream:
    """All kept lines as a text file, oldest first, process by process."""
    name = f"{ids.public('depl', deployment.id)}-{wanted.process or 'all'}.log"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    found = runtime_logs.everything(folder_of(request, deployment), wanted)
    return Stream(_pieces(found), media_type="text/plain; charset=utf-8", headers=headers)


async def follow(
    where: Path,
    wanted: Wanted,
    *,
    places: Places | None,
    last: int,
    is_seen: Callable[[], Awaitable[bool]],
) -> AsyncGenerator[bytes]:
    """connected, log… until whoever listens leaves, or may not see it any more."""
    if places is None:
        places = await asyncio.to_thread(runtime_logs.ends, where)
        found = await asyncio.to_thread(
            runtime_logs.newest, where, wanted, limit=last, cursor=runtime_logs.text(places) or None
        )
        lines = found.lines[::-1]
    else:
        lines = []
    yield streams.event("connected", {})
    quiet = 0.0
    while True:
        if lines:
            yield _events(lines, places)
            quiet = 0.0
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS
        if quiet >= streams.HEARTBEAT_SECONDS:
            quiet = 0.0
            yield b": still here\n\n"
            if not await is_seen():
                return
        lines, places = await asyncio.to_thread(
            runtime_logs.newer, where, wanted, places, limit=_MOST_LINES
        )


def _events(lines: list[runtime_logs.Line], places: Places) -> bytes:
    """The lines; the last one carries the places after all of them."""
    parts = [b"event: log\ndata: %s\n\n" % msgspec.json.encode(_out(line)) for line in lines[:-1]]
    data = msgspec.json.encode(_out(lines[-1]))
    parts.append(b"id: %s\nevent: log\ndata: %s\n\n" % (runtime_logs.text(places).encode(), data))
    return b"".join(parts)


async def _pieces(found: Iterator[bytes]) -> AsyncGenerator[bytes]:
    while (piece := await asyncio.to_thread(next, found, None)) is not None:
        if piece:
            yield piece


def _out(line: runtime_logs.Line) -> RuntimeLine:
    return RuntimeLine(
        time=dt.datetime.fromisoformat(line.time),
        process=line.process,
        level=line.level,
        message=line.message,
    )


router = Router(
    "/api/deployments",
    route_handlers=[list_runtime_lines, stream_runtime_lines, download_runtime_lines],
    dependencies={"wanted": Provide(provide_wanted)},
    tags=["Deployments"],
)
