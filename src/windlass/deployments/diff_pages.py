"""Page: what differs between two deployments of a project."""

from litestar import get
from litestar.params import FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.builds.deps import store_of
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.deployments import diff, listing
from windlass.deployments.deps import InDeployment
from windlass.web.page import page
from windlass.web.posts import Answer

_FILES = 200


@get("/deployments/{deployment_id:str}/diff", permission=Permission.deploy_read)
async def show_diff(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    compareWith: FromQuery[str] = "",
) -> Answer:
    state = request.app.state
    found = await diff.of(db, store_of(request), deployment, compareWith or None, by=actor)
    project = ids.public("proj", deployment.project_id)
    query = listing.Query(project_id=project, status="ready", limit=50)
    others = await listing.page_of_structs(state.database, state.settings, query, by=actor)
    shown = listing.read(await listing.one_in(db, state.settings, deployment.id, by=actor))
    before = None
    if found.compared_with is not None:
        id = ids.private("depl", found.compared_with)
        before = listing.read(await listing.one_in(db, state.settings, id, by=actor))
    choices = [other for other in others.items if other.id != shown.id]
    if before is not None and all(other.id != before.id for other in choices):
        choices.append(before)
    return page(
        request,
        "deployments/diff.html",
        user=actor,
        deployment=shown,
        before=before,
        diff=found,
        files=found.files[:_FILES],
        others=choices,
    )


HANDLERS = [show_diff]
