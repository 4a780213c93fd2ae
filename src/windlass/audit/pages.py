"""Pages of what happened: the audit log, one's own activity, that of a project."""

import datetime as dt
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.di import Provide
from msgspec.structs import replace

from windlass.audit import listing, titles
from windlass.audit.asking import Asked, provide_asked
from windlass.audit.errors import BadFilter
from windlass.audit.listing import Query, Seen
from windlass.audit.schemas import EntryOut
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.db import Database
from windlass.core.http import DB, Request
from windlass.core.schemas import BadCursor, Page
from windlass.projects import listing as projects
from windlass.projects.deps import InProject, Latest, provide_project_by_slug
from windlass.web.page import page
from windlass.web.posts import Answer

_MOST_CHOICES = 200
_PEOPLE = """
select id, coalesce(name, username, email) as name from users
where deleted_at is null and coalesce(name, username, email) is not null
order by lower(coalesce(name, username, email)), id limit $1
"""
_PROJECTS = "select id, name from projects order by lower(name), id limit $1"
_TEAMS = """
select id, name from teams where $2::uuid is null or exists (select from team_members m
  where m.team_id = teams.id and m.user_id = $2 and m.role in ('ADMIN', 'OWNER'))
order by lower(name), id limit $1
"""


class Choice(msgspec.Struct, frozen=True):
    """One of the things that a filter can be set to."""

    value: str
    label: str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, as the form shows it again."""

    actor: str = ""
    event: str = ""
    project: str = ""
    team: str = ""
    since: str = ""
    until: str = ""
    search: str = ""

    @property
    def days(self) -> tuple[str, str]:
        """The times as a date field takes them, which knows days only."""
        return _day(self.since), _day(self.until)

    @property
    def is_set(self) -> bool:
        return any(msgspec.structs.astuple(self))

    @property
    def query(self) -> str:
        """The same for the API, which tells parts of the product from kinds of facts."""
        given = {
            "actor": self.actor,
            "action" if "." in self.event else "type": self.event,
            "project": self.project,
            "team": self.team,
            "from": self.since,
            "to": self.until,
            "search": self.search,
        }
        return urlencode({name: value for name, value in given.items() if value})


def _day(moment: str) -> str:
    try:
        return dt.datetime.fromisoformat(moment).date().isoformat()
    except ValueError:
        return ""


@get("/audit", permission=Permission.account)
async def show_audit(request: Request, actor: CurrentActor, asked: Asked) -> Answer:
    """What one may see of the log."""
    return await _log(request, actor, asked, seen=Seen.allowed)


@get("/admin/audit", permission=Permission.admin_read)
async def show_everything(request: Request, actor: CurrentActor, asked: Asked) -> Answer:
    """What happened on this Windlass, for its administrators."""
    return await _log(request, actor, asked, seen=Seen.everything)


async def _log(request: Request, actor: Actor, asked: Query, *, seen: Seen) -> Answer:
    database, of = _log_of(request, actor, seen)
    problem, found = None, Page[EntryOut]([])
    try:
        found = await _page(request, actor, asked, seen)
    except BadFilter as error:
        problem = error.message
    return page(
        request,
        "audit/log.html",
        http_status=422 if problem else 200,
        user=actor,
        entries=found.items,
        more=_more(request, found.cursor),
        filter=_filter_of(asked),
        problem=problem,
        groups=titles.GROUPS,
        people=await _choices(database, "user", _PEOPLE),
        projects=await _choices(database, "proj", _PROJECTS),
        teams=await _choices(database, "team", _TEAMS, of),
        is_everything=seen is Seen.everything,
        base="/admin/audit" if seen is Seen.everything else "/audit",
    )


@get("/account/activity", permission=Permission.account)
async def show_own_activity(request: Request, actor: CurrentActor, asked: Asked) -> Answer:
    """What one did, and what was done to one's account (C-270)."""
    found = await _page(request, actor, asked, Seen.own)
    return page(
        request,
        "audit/own.html",
        user=actor,
        entries=found.items,
        more=_more(request, found.cursor),
        type=asked.type or "",
        groups=titles.GROUPS,
        errors={},
    )


@get("/projects/{slug:str}/activity", permission=Permission.project_read)
async def show_project_activity(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, asked: Asked
) -> Answer:
    """What happened in a project (C-270)."""
    wanted = replace(asked, project=ids.public("proj", project.id))
    found = await _page(request, actor, wanted, Seen.allowed)
    return page(
        request,
        "audit/project.html",
        user=actor,
        project=await projects.shown(db, request.app.state.settings, project, latest, by=actor),
        entries=found.items,
        more=_more(request, found.cursor),
        type=asked.type or "",
        groups=titles.GROUPS,
    )


async def _page(request: Request, actor: Actor, asked: Query, seen: Seen) -> Page[EntryOut]:
    """A cursor that means nothing any more leads to the beginning, not to a page of errors."""
    database, of = _log_of(request, actor, seen)
    asked = _by_event(asked)
    try:
        return await listing.page(database, asked, of=of, seen=seen)
    except BadCursor:
        return await listing.page(database, replace(asked, cursor=None), of=of, seen=seen)


def _log_of(request: Request, actor: Actor, seen: Seen) -> tuple[Database, UUID | None]:
    """Where it is read, and for whom; what everybody did only administrators ask for."""
    parts = request.app.state
    return (parts.system, None) if seen is Seen.everything else (parts.database, actor.id)


def _by_event(asked: Query) -> Query:
    """The form has one field for parts of the product and kinds of facts."""
    if asked.type and "." in asked.type:
        return replace(asked, type=None, action=asked.type)
    return asked


def _filter_of(asked: Query) -> Filter:
    return Filter(
        actor=asked.actor or "",
        event=asked.action or asked.type or "",
        project=asked.project or "",
        team=asked.team or "",
        since=asked.since or "",
        until=asked.until or "",
        search=asked.search or "",
    )


def _more(request: Request, cursor: str | None) -> str | None:
    """The address of what is older, with the same filters."""
    if cursor is None:
        return None
    kept = {name: value for name, value in request.query_params.items() if value}
    return f"{request.url.path}?{urlencode({**kept, 'cursor': cursor})}"


async def _choices(database: Database, prefix: str, query: str, *given: object) -> list[Choice]:
    """The first of what the caller may see; who has more of them searches."""
    rows = await database.fetch(query, _MOST_CHOICES, *given)
    return [Choice(ids.public(prefix, row["id"]), row["name"]) for row in rows]


PAGES = [
    Router(
        "/",
        route_handlers=[show_audit, show_everything, show_own_activity, show_project_activity],
        dependencies={"asked": Provide(provide_asked), "project": Provide(provide_project_by_slug)},
        include_in_schema=False,
    )
]
