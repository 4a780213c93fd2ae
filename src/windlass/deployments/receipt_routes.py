"""JSON: what came of a deployment's last switch to production."""

import datetime as dt
from typing import Any

import msgspec
from litestar import get
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import NotFound
from windlass.core.http import DB
from windlass.core.schemas import Out
from windlass.deployments import counting
from windlass.deployments.counting import Receipt
from windlass.deployments.deps import InDeployment
from windlass.deployments.models import Deployment
from windlass.deployments.switches import Outcome, Switch


class NeverSwitched(NotFound):
    """This deployment was never made live on the project's own address."""


class FiguresOut(Out):
    """Requests that one release answered; quantiles until an answer began, null without any."""

    requests: int
    failed: int
    p50_milliseconds: float | None
    p95_milliseconds: float | None

    @classmethod
    def of(cls, found: counting.Figures) -> "FiguresOut":
        return cls(**msgspec.structs.asdict(found))


class ReceiptOut(Out):
    """A switch of production and what came of it.

    `outcome`: counting, stayed, replaced (somebody made another one live) or returned (by itself).
    `before`: the release before it, until the switch; `old` and `new`: since the switch.
    """

    deployment_id: str
    previous_deployment_id: str | None
    host: str
    reason: str | None
    outcome: str
    switched_at: dt.datetime | None
    switch_milliseconds: float | None
    until: dt.datetime | None
    ended_at: dt.datetime | None
    # Whether production goes back by itself until then.
    is_watched: bool
    before: FiguresOut
    old: FiguresOut
    new: FiguresOut
    # The edge was started anew meanwhile: some requests are not counted.
    is_partial: bool


@get("/{deployment_id:str}/receipt", permission=Permission.deploy_read)
async def get_receipt(db: DB, deployment: InDeployment) -> ReceiptOut:
    """Requests served by each side of its newest switch, failed ones, times before and after."""
    if (found := await newest(db, deployment)) is None:
        raise NeverSwitched()
    return found


async def newest(db: AsyncSession, deployment: Deployment) -> ReceiptOut | None:
    """What came of the last time it was made live."""
    query = (
        select(Switch)
        .where(Switch.deployment_id == deployment.id, Switch.outcome != Outcome.begun)
        .order_by(Switch.created_at.desc(), Switch.id.desc())
        .limit(1)
    )
    row = await db.scalar(query)
    return None if row is None else _shown(row)


def _shown(row: Switch) -> ReceiptOut:
    found = _receipt(row.receipt)
    before = found.before if row.receipt else counting.counted(row.baseline).old
    return ReceiptOut(
        deployment_id=ids.public("depl", row.deployment_id),
        previous_deployment_id=ids.public("depl", row.previous_id) if row.previous_id else None,
        host=row.host,
        reason=row.reason,
        outcome=row.outcome.value.lower(),
        switched_at=row.switched_at,
        switch_milliseconds=row.switch_milliseconds,
        until=row.until,
        ended_at=row.ended_at,
        is_watched=row.is_watched,
        before=FiguresOut.of(counting.figures(before)),
        old=FiguresOut.of(counting.figures(found.old)),
        new=FiguresOut.of(counting.figures(found.new)),
        is_partial=found.is_partial,
    )


def _receipt(stored: dict[str, Any] | None) -> Receipt:
    if stored is None:
        nothing = counting.NOTHING
        return Receipt(before=nothing.old, old=nothing.old, new=nothing.new)
    return msgspec.convert(stored, Receipt)
