"""What a push or a pull request does to one project, by its rules.

Both events tell of the commit of a branch with a pull request; whichever comes first has it built.
"""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core.events import emit
from windlass.core.languages import N_
from windlass.deployments import starting
from windlass.deployments.models import Deployment
from windlass.deployments.starting import Commit
from windlass.previews import service as previews
from windlass.previews.service import Pull
from windlass.projects.models import Project
from windlass.projects.names import check_branch
from windlass.webhooks import events
from windlass.webhooks.models import Delivery, Outcome, Webhook
from windlass.webhooks.payloads import Push
from windlass.webhooks.pulls import PullEvent
from windlass.webhooks.rules import Rules, decide, named, said_to_skip

_LONGEST_MESSAGE = 2000


class Taker(msgspec.Struct, frozen=True):
    """A project whose secret a delivery proves."""

    webhook: Webhook
    project: Project
    owner: Actor
    # Of one application of several in the repository: globs of what concerns it.
    watched: tuple[str, ...]


async def pushed(
    db: AsyncSession, row: Delivery, push: Push, taker: Taker, *, base_domain: str
) -> None:
    """A branch or tag points somewhere else, or is gone."""
    webhook, project = taker.webhook, taker.project
    decision = decide(
        push,
        Rules(
            branch=project.repository_branch,
            preview_branches=webhook.preview_branches,
            tags=webhook.tags,
            paths=webhook.paths or taker.watched,
        ),
    )
    is_branch = named(push.ref)[1] == "branch"
    if (
        push.is_deleted
        and is_branch
        and await previews.branch_deleted(db, project, decision.name, by=taker.owner)
    ):
        row.outcome = Outcome.removed
    if decision.reason is not None:
        row.reason, row.is_skipped = decision.reason, decision.is_skipped
        return
    number = None
    if not decision.is_production:
        number = await previews.pull_of(db, project, decision.name)
        found = await previews.newest_of(db, project, decision.name, push.commit_sha)
        if found is not None and number is not None:
            row.outcome, row.deployment_id = Outcome.deployed, found.id
            return
    commit = Commit(
        branch=check_branch(decision.name),
        is_preview=not decision.is_production,
        sha=push.commit_sha,
        message=_first_line(push.message),
        pull_number=number,
    )
    deployment = await starting.deploy_commit(
        db, project, commit, base_domain=base_domain, by=taker.owner
    )
    if not decision.is_production:
        await previews.track(db, project, deployment)
    await _note(db, row, deployment, taker)


async def pulled(
    db: AsyncSession, row: Delivery, event: PullEvent, taker: Taker, *, base_domain: str
) -> None:
    """A pull request was opened, moved on, or closed."""
    project, webhook = taker.project, taker.webhook
    if event.what == "closed":
        if await previews.closed(db, project, event.number, by=taker.owner):
            row.outcome, row.reason = Outcome.removed, N_("The pull request was closed")
        else:
            row.reason = N_("There is no preview of this pull request")
        return
    if not webhook.pull_requests:
        row.reason = N_("This project makes no previews of pull requests")
        return
    if event.sha is None:
        row.reason = N_("It names no commit")
        return
    if (why := await _why_skipped(db, row, event)) is not None:
        row.reason, row.is_skipped = why, True
        return
    check_branch(event.branch)
    pull = Pull(
        number=event.number,
        title=event.title,
        author=event.author,
        branch=event.label,
        sha=event.sha,
        message=_first_line(event.message) or event.title or None,
        is_fork=event.is_fork,
        url=event.url,
        ref=event.ref,
    )
    deployment = await previews.opened(db, project, pull, base_domain=base_domain, by=taker.owner)
    if deployment is None:
        row.outcome = Outcome.waiting
        row.reason = N_("It comes from a fork and waits for approval")
        return
    await _note(db, row, deployment, taker)


async def _why_skipped(db: AsyncSession, row: Delivery, event: PullEvent) -> str | None:
    """What the commit says itself, or what its push said of it before: a pull request does not
    tell what the message of its commit is."""
    if (words := said_to_skip(event.message)) is not None:
        return N_("The commit says {words}").format(words=words)
    query = select(Delivery.reason).where(
        Delivery.webhook_id == row.webhook_id,
        Delivery.commit_sha.startswith(event.sha or "-"),
        Delivery.is_skipped,
    )
    return await db.scalar(query.order_by(Delivery.id.desc()).limit(1))


async def _note(db: AsyncSession, row: Delivery, deployment: Deployment, taker: Taker) -> None:
    row.outcome, row.deployment_id = Outcome.deployed, deployment.id
    event = events.Pushed(
        project_id=taker.project.id,
        deployment_id=deployment.id,
        host=row.host.value,
        ref=row.ref,
        commit=deployment.commit_sha,
    )
    await emit(db, event, by=taker.owner.id)


def _first_line(message: str) -> str | None:
    return message.partition("\n")[0][:_LONGEST_MESSAGE] or None
