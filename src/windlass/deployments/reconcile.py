"""Three loops: a deployment moves towards its end, a host name towards the release it shall serve,
and a switch of production is followed for a while."""

from windlass.core.context import Ctx
from windlass.core.loop import Step, reconciles
from windlass.deployments import admission, building, receipts, switching
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.deployments.switches import Outcome, Switch
from windlass.projects.models import Site


@reconciles(
    Deployment,
    when=lambda: Deployment.status.in_((Status.building, Status.deploying)),
    lease=15,
    limit=lambda ctx: admission.slots(ctx.settings.builds),
    admit=admission.admit,
)
async def advance(ctx: Ctx, deployment: Deployment) -> Step:
    """Building → deploying; admission let it out of the queue, the site's loop ends it."""
    if deployment.status is Status.building:
        return await building.build(ctx, deployment)
    return await switching.ask(ctx, deployment)


@reconciles(Switch, when=lambda: Switch.outcome == Outcome.counting, lease=15)
async def look(ctx: Ctx, switch: Switch) -> Step:
    """Count what comes of a switch, until its time is over or it is undone."""
    return await receipts.look(ctx, switch)


@reconciles(Site, when=lambda: Site.generation != Site.settled, lease=15)
async def converge(ctx: Ctx, site: Site) -> Step:
    """Make the host serve what it should, see that it does, and say so."""
    return await switching.converge(ctx, site)
