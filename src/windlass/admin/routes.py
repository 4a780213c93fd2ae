"""JSON: the platform as its administrators see it (C-058, B-051, B-052).

A flag of the account opens these and nothing else does: no role in any team, and nobody at all
where no account has it (D-33).
"""

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UnsetType

from windlass.admin import listing, service
from windlass.admin.listing import LIMIT, Query
from windlass.admin.schemas import (
    Overview,
    PersonChange,
    PersonOut,
    ProjectRow,
    Search,
    Sort,
    State,
    TeamRow,
)
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.models import Plan
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.schemas import CursorText, Limit, Page


@get("/overview", permission=Permission.admin_read)
async def show_overview(system_db: SystemDB) -> Overview:
    """How much of everything there is (B-052)."""
    return await listing.overview(system_db)


@get("/users", permission=Permission.admin_read)
async def list_users(
    system_db: SystemDB,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[Sort] = "-createdAt",
    search: FromQuery[Search | None] = None,
    status: FromQuery[State | None] = None,
) -> Page[PersonOut]:
    """Accounts, by a part of their name or address."""
    query = Query(limit=limit, cursor=cursor, sort=sort, search=search, state=status)
    return await listing.people(system_db, query)


@get("/users/{user_id:str}", permission=Permission.admin_read)
async def show_user(system_db: SystemDB, user_id: FromPath[str]) -> PersonOut:
    """One account."""
    return await listing.person(system_db, ids.private("user", user_id))


@patch("/users/{user_id:str}", permission=Permission.admin_write)
async def change_user(
    system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str], data: JSONBody[PersonChange]
) -> PersonOut:
    """Change somebody's plan, or whether they are an administrator. The last one stays."""
    id = ids.private("user", user_id)
    if not isinstance(data.plan, UnsetType):
        await service.set_plan(system_db, id, Plan(data.plan.upper()), by=actor)
    if not isinstance(data.is_admin, UnsetType):
        await service.set_admin(system_db, id, data.is_admin, by=actor)
    return await listing.person(system_db, id)


@post("/users/{user_id:str}/suspension", permission=Permission.admin_write, status_code=200)
async def suspend_user(
    system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]
) -> PersonOut:
    """Suspend an account: every session and every build ends at once, tokens open nothing, and
    nobody deploys in its projects. Sites stay up. One's own account is 409."""
    id = ids.private("user", user_id)
    await service.suspend(system_db, id, by=actor)
    return await listing.person(system_db, id)


@delete("/users/{user_id:str}/suspension", permission=Permission.admin_write)
async def lift_suspension(system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]) -> None:
    """Let somebody in again."""
    await service.lift(system_db, ids.private("user", user_id), by=actor)


@delete("/users/{user_id:str}/sessions", permission=Permission.admin_write)
async def sign_user_out(system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]) -> None:
    """Sign somebody out everywhere; API tokens stay."""
    await service.sign_out_everywhere(system_db, ids.private("user", user_id), by=actor)


@get("/teams", permission=Permission.admin_read)
async def list_all_teams(
    system_db: SystemDB,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[Sort] = "-createdAt",
    search: FromQuery[Search | None] = None,
) -> Page[TeamRow]:
    """Every team, by a part of its name."""
    query = Query(limit=limit, cursor=cursor, sort=sort, search=search)
    return await listing.teams(system_db, query)


@get("/projects", permission=Permission.admin_read)
async def list_all_projects(
    system_db: SystemDB,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[Sort] = "-createdAt",
    search: FromQuery[Search | None] = None,
) -> Page[ProjectRow]:
    """Every project, by a part of its name, its host, or its owner's address."""
    query = Query(limit=limit, cursor=cursor, sort=sort, search=search)
    return await listing.projects(system_db, query)


router = Router(
    "/api/admin",
    route_handlers=[
        show_overview,
        list_users,
        show_user,
        change_user,
        suspend_user,
        lift_suspension,
        sign_user_out,
        list_all_teams,
        list_all_projects,
    ],
    tags=["Administration"],
)
