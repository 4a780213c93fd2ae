"""Two loops: a deployment moves towards its end, a host name towards the release it shall serve."""

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from windlass.core.context import Ctx
from windlass.core.loop import Step, reconciles
from windlass.deployments import building, switching
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, Status
from windlass.projects.models import Site


def _may_move() -> ColumnElement[bool]:
    """What is being built goes on; of a project's waiting ones the oldest starts when none is."""
    other = aliased(Deployment)
    ahead = exists(
        select(other.id).where(
            other.project_id == Deployment.project_id,
            other.id != Deployment.id,
            or_(
                other.status.in_([Status.building, Status.deploying]),
                and_(other.status == Status.queued, other.id < Deployment.id),
            ),
        )
    )
    moving = Deployment.status.in_(MOVING)
    return and_(moving, or_(Deployment.status != Status.queued, ~ahead))


@reconciles(
    Deployment,
    when=_may_move,
    lease=15,
    limit=lambda ctx: ctx.settings.builds.concurrency,
)
async def advance(ctx: Ctx, deployment: Deployment) -> Step:
    """Queued → building → deploying; the site's loop ends it."""
    match deployment.status:
        case Status.queued:
            return building.start(deployment)
        case Status.building:
            return await building.build(ctx, deployment)
        case _:
            return await switching.ask(ctx, deployment)


@reconciles(Site, when=lambda: Site.generation != Site.settled, lease=15)
async def converge(ctx: Ctx, site: Site) -> Step:
    """Make the host serve what it should, see that it does, and say so."""
    return await switching.converge(ctx, site)
