"""JSON: which teams see a project, and giving it to somebody else."""

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import Page
from windlass.projects import listing, sharing
from windlass.projects.deps import InProject, Latest
from windlass.projects.schemas import ProjectOut, ShareOut, ShareWith, TransferTo


@get("/{project_id:str}/teams", permission=Permission.project_read)
async def list_shares(db: DB, project: InProject) -> Page[ShareOut]:
    """The teams that see the project."""
    return Page([ShareOut.of(row) for row in await sharing.teams_of(db, project)])


@post("/{project_id:str}/teams", permission=Permission.project_settings)
async def share_project(
    db: DB, actor: CurrentActor, project: InProject, data: JSONBody[ShareWith]
) -> ShareOut:
    """Share it with a team that you are in; its members act on it by their roles (C-186)."""
    team_id = ids.private("team", data.team_id)
    await sharing.share(db, project, team_id, by=actor)
    (made,) = [row for row in await sharing.teams_of(db, project) if row.team_id == team_id]
    return ShareOut.of(made)


@delete("/{project_id:str}/teams/{team_id:str}", permission=Permission.project_settings)
async def unshare_project(
    db: DB, actor: CurrentActor, project: InProject, team_id: FromPath[str]
) -> None:
    """Stop sharing it; the team's members see nothing of it from now on."""
    await sharing.unshare(db, project, ids.private("team", team_id), by=actor)


@post("/{project_id:str}/transfer", permission=Permission.project_settings, status_code=200)
async def transfer_project(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    data: JSONBody[TransferTo],
) -> ProjectOut:
    """Give your project to a member of a team it is shared with; the plan that counts is theirs
    from now on (E-16, E-20)."""
    await sharing.transfer(db, project, ids.private("user", data.user_id), by=actor)
    return await listing.shown(db, request.app.state.settings, project, latest, by=actor)


HANDLERS = [list_shares, share_project, unshare_project, transfer_project]
