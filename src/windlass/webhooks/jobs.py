"""What follows: Git hosts are told what becomes of commits, and old deliveries are forgotten."""

import datetime as dt

from sqlalchemy import bindparam, delete, exists, func

from windlass.adapters import git_hosts
from windlass.adapters.guarded import Client, FetchFailed
from windlass.adapters.world import addresses_of
from windlass.core import clock, log
from windlass.core.context import Ctx
from windlass.core.queue import every, on
from windlass.deployments import events as deployments
from windlass.webhooks import reporting
from windlass.webhooks.models import Delivery, Webhook
from windlass.webhooks.reporting import Report

DAYS = 30
# A host that is away for longer is not told any more.
PATIENCE = dt.timedelta(days=1)


class HostAway(Exception):
    """The Git host has no answer; the job is tried again."""


@on(
    deployments.Queued,
    deployments.Ready,
    deployments.Failed,
    deployments.Cancelled,
    when=exists().where(
        Webhook.project_id == bindparam("project_id"), Webhook.token_sealed.is_not(None)
    ),
)
async def tell_host(ctx: Ctx, event: deployments.Moved) -> None:
    """Say how it is, until what was said is how it is: two of these may run at once, and the last
    word must be the last state (C-247)."""
    said: str | None = None
    while True:
        async with ctx.transaction() as db:
            found = await reporting.report_of(db, event.deployment_id, ctx.keys)
        if found is None or found[0].state == said:
            return
        report, deployment = found
        try:
            await _send(ctx, report)
        except git_hosts.Refused as error:
            await _note(ctx, report, str(error))
            return
        except FetchFailed as error:
            await _note(ctx, report, str(error))
            if clock.now() - deployment.created_at > PATIENCE:
                log.get().warning("webhooks.gave_up", host=report.host.value, error=str(error))
                return
            raise HostAway(str(error)) from error
        await _note(ctx, report, None)
        said = report.state


async def _send(ctx: Ctx, report: Report) -> None:
    kind = report.host.value
    if git_hosts.api_of(kind, report.repository_key, report.repository_url) != report.api_url:
        raise git_hosts.Refused("The repository moved to another host; give the token anew")
    status = git_hosts.CommitStatus(
        sha=report.sha,
        state=report.state,  # pyright: ignore[reportArgumentType]
        url=ctx.settings.panel_url + report.path,
        context=report.context,
        text=report.text,
    )
    client = Client(addresses_of(ctx.settings))
    await git_hosts.report(client, kind, report.api_url, report.repository, report.token, status)


async def _note(ctx: Ctx, report: Report, error: str | None) -> None:
    async with ctx.transaction() as db:
        await reporting.note(db, report, error)


@every("23 4 * * *")
async def forget_deliveries(ctx: Ctx) -> None:
    """No host sends a delivery again after so long."""
    async with ctx.transaction() as db:
        old = Delivery.created_at < func.now() - func.make_interval(0, 0, 0, DAYS)
        await db.execute(delete(Delivery).where(old))
