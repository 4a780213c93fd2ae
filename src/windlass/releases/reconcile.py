"""One loop: a release moves towards its newest revision, or out of its cluster; while it stays as
it is, somebody looks from time to time whether it still is."""

from sqlalchemy import and_, or_

from windlass.adapters.kube.errors import KubeError
from windlass.core.context import Ctx
from windlass.core.loop import Step, reconciles
from windlass.releases import drifting, manifests, rolling, saying
from windlass.releases.applying import WHOLE
from windlass.releases.models import Kind, Release
from windlass.releases.phases import MOVING, Status
from windlass.releases.work import Work


@reconciles(
    Release,
    when=lambda: or_(
        Release.status.in_(MOVING),
        and_(Release.status == Status.deployed, Release.kind == Kind.manifests),
    ),
    lease=30,
)
async def advance(ctx: Ctx, release: Release) -> Step:
    """Queued → applying → rolling out → deployed; deleting → deleted."""
    work = await Work.load(ctx, release)
    # The one place where the kinds differ.
    steps = manifests
    match release.status:
        case Status.queued:
            return await steps.begin(work)
        case Status.applying:
            return await steps.apply(work)
        case Status.rolling_out:
            return await roll(work)
        case Status.deleting:
            return await steps.remove(work)
        case _:
            return await drifting.look(work)


async def roll(work: Work) -> Step:
    """Wait for what was applied, and say why when it does not come."""
    namespace = work.release.namespace
    try:
        async with work.kube() as kube:
            is_news = await rolling.look(kube, namespace, work.results)
            behind = rolling.waiting(work.results)
            if not behind:
                return work.end(Status.deployed)
            if work.is_late() or rolling.failed(work.results):
                said = await rolling.why(kube, namespace, work.results)
                late = f" (after {work.wishes.timeout_seconds} s)" if work.is_late() else ""
                return work.end(Status.failed, said + late)
    except WHOLE as error:
        return work.end(Status.failed, saying.line(error))
    except KubeError as error:
        if not error.may_pass or work.is_late():
            return work.end(Status.failed, saying.line(error))
        return work.step(
            Status.rolling_out, reason=saying.line(error), again_in=rolling.LATER_SECONDS
        )
    return work.step(
        Status.rolling_out,
        reason=rolling.line(behind[0]),
        again_in=rolling.pause(work.revision.started_at),
        is_news=is_news,
    )
