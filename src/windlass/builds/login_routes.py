"""JSON: the logins of a project at registries of images."""

from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.builds import logins
from windlass.builds.schemas import LoginOut, LoginSet
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import Page
from windlass.projects.deps import InProject


@get("/{project_id:str}/registries", permission=Permission.project_settings)
async def list_logins(db: DB, project: InProject) -> Page[LoginOut]:
    """Where private images of the project are fetched, and as whom; passwords are never shown."""
    return Page([LoginOut.of(row) for row in await logins.of_project(db, project)])


@post("/{project_id:str}/registries", permission=Permission.project_settings)
async def set_login(
    request: Request, db: DB, actor: CurrentActor, project: InProject, data: JSONBody[LoginSet]
) -> LoginOut:
    """Set the login at a registry; one that is there is replaced. The next build uses it."""
    keys = request.app.state.key_ring
    return LoginOut.of(await logins.save(db, project, data, keys, by=actor))


@delete("/{project_id:str}/registries/{login_id:str}", permission=Permission.project_settings)
async def remove_login(
    db: DB, actor: CurrentActor, project: InProject, login_id: FromPath[str]
) -> None:
    """Forget the login at a registry."""
    login = await logins.get(db, project, ids.private("reg", login_id))
    await logins.remove(db, project, login, by=actor)


router = Router(
    "/api/projects", route_handlers=[list_logins, set_login, remove_login], tags=["Projects"]
)
