"""JSON: the platform as its administrators see it (C-058, B-051, B-052).

A flag of the account opens these and nothing else does: no role in any team, and nobody at all
where no account has it (D-33).
"""

from litestar import Router, delete, get, patch, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UnsetType
from msgspec.structs import replace

from windlass.admin import listing, service
from windlass.admin.asking import Asked, provide_asked
from windlass.admin.schemas import (
    Overview,
    PersonChange,
    PersonOut,
    ProjectRow,
    State,
    TeamRow,
)
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.models import Plan
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.http import Request
from windlass.core.schemas import Page
from windlass.deployments import disk
from windlass.deployments.disk import Usage


@get("/overview", permission=Permission.admin_read)
async def show_overview(system_db: SystemDB) -> Overview:
    """How much of everything there is (B-052)."""
    return await listing.overview(system_db)


@get("/disk", permission=Permission.admin_read, rate="page")
async def show_disk(request: Request, system_db: SystemDB) -> Usage:
    """Where the bytes of this machine's home went, by what they are and whose they are. It looks at
    every file: a second for 100,000 of them."""
    return await disk.usage(system_db, request.app.state.settings.folder)


@get("/users", permission=Permission.admin_read)
async def list_users(
    system_db: SystemDB, asked: Asked, status: FromQuery[State | None] = None
) -> Page[PersonOut]:
    """Accounts, by a part of their name or address."""
    return await listing.people(system_db, replace(asked, state=status))


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
async def list_all_teams(system_db: SystemDB, asked: Asked) -> Page[TeamRow]:
    """Every team, by a part of its name."""
    return await listing.teams(system_db, asked)


@get("/projects", permission=Permission.admin_read)
async def list_all_projects(system_db: SystemDB, asked: Asked) -> Page[ProjectRow]:
    """Every project, by a part of its name, its host, or its owner's address."""
    return await listing.projects(system_db, asked)


router = Router(
    "/api/admin",
    route_handlers=[
        show_overview,
        show_disk,
        list_users,
        show_user,
        change_user,
        suspend_user,
        lift_suspension,
        sign_user_out,
        list_all_teams,
        list_all_projects,
    ],
    dependencies={"asked": Provide(provide_asked)},
    tags=["Administration"],
)
