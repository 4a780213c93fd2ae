"""JSON: what happened, of what one may see; the same of everything for the platform's admins."""

from collections.abc import AsyncGenerator

from litestar import Router, get, put
from litestar.di import Provide
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream
from msgspec.structs import replace

from windlass.audit import exporting, listing, retention
from windlass.audit.asking import Asked, provide_asked
from windlass.audit.exporting import Format
from windlass.audit.listing import Seen
from windlass.audit.schemas import EntryOut, RetentionChange, RetentionOut
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import Page
from windlass.projects.deps import InProject
from windlass.teams import service as teams
from windlass.teams.deps import InTeam
from windlass.teams.schemas import RetentionDays, TeamChange

STREAMS = tuple(exporting.MEDIA_TYPES.values())


@get("/api/audit", permission=Permission.account)
async def list_audit(request: Request, actor: CurrentActor, asked: Asked) -> Page[EntryOut]:
    """What you did, what was done to your account, and what happened in your projects and in the
    teams that you administer; newest first."""
    database = request.app.state.database
    return await listing.page(database, asked, of=actor.id, seen=Seen.allowed)


@get("/api/auth/activity", permission=Permission.account)
async def list_own_activity(request: Request, actor: CurrentActor, asked: Asked) -> Page[EntryOut]:
    """What you did and what was done to your account; newest first."""
    return await listing.page(request.app.state.database, asked, of=actor.id, seen=Seen.own)


@get("/api/projects/{project_id:str}/activity", permission=Permission.project_read)
async def list_project_activity(
    request: Request, actor: CurrentActor, project: InProject, asked: Asked
) -> Page[EntryOut]:
    """What happened in a project; newest first. Who does not administer it sees neither from where
    something was done nor what became of its variables."""
    asked = replace(asked, project=ids.public("proj", project.id))
    return await listing.page(request.app.state.database, asked, of=actor.id, seen=Seen.allowed)


@get("/api/admin/audit", permission=Permission.admin_read)
async def list_everything(request: Request, asked: Asked) -> Page[EntryOut]:
    """What happened on this Windlass, whoever did it; for its administrators."""
    return await listing.page(request.app.state.system, asked, of=None, seen=Seen.everything)


@get("/api/audit/export", permission=Permission.account, rate="write", streams=STREAMS)
async def export_audit(
    request: Request,
    db: DB,
    actor: CurrentActor,
    asked: Asked,
    format: FromQuery[Format] = "json",
) -> Stream:
    """The same as a file, the newest 100,000 entries at most; that it was taken is in the log."""
    values = await exporting.begin(db, asked, format, seen=Seen.allowed, by=actor)
    database = request.app.state.database
    found = exporting.content(database, values, format, of=actor.id, seen=Seen.allowed)
    return _file(found, format)


@get("/api/admin/audit/export", permission=Permission.admin_read, rate="write", streams=STREAMS)
async def export_everything(
    request: Request,
    db: DB,
    actor: CurrentActor,
    asked: Asked,
    format: FromQuery[Format] = "json",
) -> Stream:
    """What happened on this Windlass as a file; that it was taken is in the log."""
    values = await exporting.begin(db, asked, format, seen=Seen.everything, by=actor)
    database = request.app.state.system
    return _file(exporting.content(database, values, format, of=None, seen=Seen.everything), format)


def _file(found: AsyncGenerator[bytes], format: Format) -> Stream:
    headers = {
        "content-disposition": f'attachment; filename="{exporting.file_name(format)}"',
        "cache-control": "no-store",
        "x-export-limit": str(exporting.MOST),
    }
    return Stream(found, media_type=exporting.MEDIA_TYPES[format], headers=headers)


@get("/api/teams/{team_id:str}/audit-retention", permission=Permission.team_settings)
async def get_retention(
    db: DB, team: InTeam, days: FromQuery[RetentionDays | None] = None
) -> RetentionOut:
    """How long a team's log is kept, and what would go if it were kept for `days`."""
    days = days if days is not None else team.team.audit_retention_days
    return await retention.preview(db, team.team, days)


@put("/api/teams/{team_id:str}/audit-retention", permission=Permission.team_settings)
async def change_retention(
    db: DB, actor: CurrentActor, team: InTeam, data: JSONBody[RetentionChange]
) -> RetentionOut:
    """Keep a team's log for 7 days to 7 years. What becomes too old goes in the next night."""
    await teams.change(db, team.team, TeamChange(audit_retention_days=data.days), by=actor)
    return await retention.preview(db, team.team, data.days)


ROUTES = [
    Router(
        "/",
        route_handlers=[
            list_audit,
            list_own_activity,
            list_project_activity,
            list_everything,
            export_audit,
            export_everything,
            get_retention,
            change_retention,
        ],
        dependencies={"asked": Provide(provide_asked)},
        tags=["Audit"],
    )
]
