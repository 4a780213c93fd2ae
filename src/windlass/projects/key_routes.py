"""JSON: the deploy key of a project."""

from litestar import delete, get, post

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core.http import DB, Request
from windlass.projects import deploy_keys
from windlass.projects.deps import InProject
from windlass.projects.schemas import DeployKeyOut


@get("/{project_id:str}/deploy-key", permission=Permission.project_settings)
async def show_deploy_key(project: InProject) -> DeployKeyOut:
    """The public half of the project's deploy key, for the Git host; null: it has none."""
    return DeployKeyOut(public_key=project.deploy_key_public)


@post("/{project_id:str}/deploy-key", permission=Permission.project_settings)
async def make_deploy_key(
    request: Request, db: DB, actor: CurrentActor, project: InProject
) -> DeployKeyOut:
    """Make a new deploy key for the project, in place of the old one. Give the Git host this
    public half, to read only; the private half never leaves."""
    key = await deploy_keys.make(db, project, request.app.state.key_ring, by=actor)
    return DeployKeyOut(public_key=key)


@delete("/{project_id:str}/deploy-key", permission=Permission.project_settings)
async def remove_deploy_key(db: DB, actor: CurrentActor, project: InProject) -> None:
    """Forget the deploy key; the repository is fetched with the machine's, if it has one."""
    await deploy_keys.remove(db, project, by=actor)


HANDLERS = [show_deploy_key, make_deploy_key, remove_deploy_key]
