"""From a delivery to deployments: whose it is, whether it was seen before, what it starts.

A delivery is remembered in the transaction that acts on it: what failed or was refused by a limit
is not, so the host sends it again and it counts then (C-261, C-264).
"""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import service as accounts
from windlass.auth.models import User
from windlass.core.crypto import KeyRing
from windlass.core.errors import AppError
from windlass.core.languages import N_
from windlass.core.live import announce
from windlass.core.threads import blocking
from windlass.deployments import starting
from windlass.projects.models import Project
from windlass.webhooks import acting, service, signatures
from windlass.webhooks.acting import Taker
from windlass.webhooks.errors import NotGenuine, NotSetUp
from windlass.webhooks.models import Delivery, Host, Outcome, Webhook
from windlass.webhooks.payloads import Labels, Notice, Push
from windlass.webhooks.pulls import PullEvent

# Projects of one repository that one delivery is tried on, the first of each owner before anybody's
# second: nobody can stand in front of others with projects of the same repository.
MOST_PROJECTS = 50
_LONGEST_REF = 300
# Two deliveries of theirs are never the same byte for byte: each tells a time of its own.
_UNLIKE = {Host.github, Host.gitea}
_RETRY_LATER = 429


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it came, and what it says."""

    headers: Mapping[str, str]
    body: bytes
    labels: Labels
    notice: Notice
    # The address names it where a host must tell two webhooks of a repository apart.
    project_id: UUID | None = None


async def receive(
    db: AsyncSession, arrived: Arrived, keys: KeyRing, *, base_domain: str, now: dt.datetime
) -> list[Delivery]:
    """Start what the rules of each project say; raises NotGenuine when it is for none."""
    takers = await _takers(db, arrived, keys, now=now)
    if not takers:
        if await db.scalar(select(Webhook.id).limit(1)) is None:
            raise NotSetUp()
        raise NotGenuine()
    ids = [taker.webhook.id for taker in takers]
    # One delivery at a time: the same one, sent twice at once, starts one deployment. In one order
    # for all, so that nobody waits for who waits for them.
    lock = select(Webhook.id).where(Webhook.id.in_(ids)).order_by(Webhook.id).with_for_update()
    await db.execute(lock)
    found = await _before(db, arrived, ids)
    seen = {row.webhook_id for row in found}
    fresh: list[Delivery] = []
    for taker in takers:
        if taker.webhook.id not in seen:
            fresh += await _take(db, arrived, taker, base_domain=base_domain)
    # All at once: of fifty projects each statement counts.
    db.add_all(fresh)
    await db.flush()
    return found + fresh


async def _takers(
    db: AsyncSession, arrived: Arrived, keys: KeyRing, *, now: dt.datetime
) -> list[Taker]:
    query = (
        select(Webhook, Project, User, starting.WATCHED_PATHS)
        .join(Project, Project.id == Webhook.project_id)
        .join(User, User.id == Project.owner_id)
        .where(Project.deleted_at.is_(None), _is_of(arrived))
        .order_by(_TURN, Webhook.id)
        .limit(MOST_PROJECTS)
    )
    rows = [(service.secret_of(keys, row[0]), *row) for row in await db.execute(query)]
    # A secret that several projects share is tried once.
    secrets = {secret for secret, *_ in rows if secret}
    proven = await blocking(_proven, arrived, secrets, now)
    return [
        Taker(webhook, project, accounts.actor_of(owner), tuple(watched or ()))
        for secret, webhook, project, owner, watched in rows
        if secret in proven
    ]


_TURN = func.row_number().over(partition_by=Project.owner_id, order_by=Webhook.id)


def _proven(arrived: Arrived, secrets: set[str], now: dt.datetime) -> set[str]:
    """Those of the secrets that it was signed with. Blocks: a body may have megabytes."""
    host, headers, body = arrived.notice.host, arrived.headers, arrived.body
    return {one for one in secrets if signatures.is_genuine(host, headers, body, one, now=now)}


def _is_of(arrived: Arrived) -> ColumnElement[bool]:
    """Of this very repository, by its name or by the number it had before (F-11)."""
    notice = arrived.notice
    named = Project.repository_key.in_(notice.repository)
    if notice.remote_id is not None:
        named = or_(named, Webhook.remote_id == notice.remote_id)
    return named if arrived.project_id is None else named & (Project.id == arrived.project_id)


async def _take(
    db: AsyncSession, arrived: Arrived, taker: Taker, *, base_domain: str
) -> list[Delivery]:
    """What the delivery means for one project."""
    webhook, notice = taker.webhook, arrived.notice
    is_named = taker.project.repository_key in notice.repository
    if is_named and notice.remote_id is not None:
        webhook.remote_id = notice.remote_id
    pushes: tuple[Push | None, ...] = notice.pushes or (None,)
    pull = notice.pull
    found: list[Delivery] = []
    for push in pushes:
        row = Delivery(
            webhook_id=webhook.id,
            project_id=taker.project.id,
            host=notice.host,
            delivery=arrived.labels.delivery,
            body_sha256=arrived.labels.digest,
            event=notice.event,
            ref=push.ref[:_LONGEST_REF] if push else f"refs/pull/{pull.number}" if pull else "",
            commit_sha=push.commit_sha if push else pull.sha if pull else None,
            outcome=Outcome.ignored,
        )
        if not is_named:
            row.outcome = Outcome.refused
            row.reason = N_(
                "The repository is called {name} now. Change it in the settings of the project"
            ).format(name=notice.name)
        elif push is None and pull is None:
            row.reason = _why_nothing(notice)
        else:
            await _act_or_refuse(db, row, push or pull, taker, base_domain=base_domain)
        found.append(row)
    # A delivery that names one branch twice says the same of it twice.
    await announce(db, f"project:{taker.project.id}")
    return list({row.ref: row for row in found}.values())


async def _before(db: AsyncSession, arrived: Arrived, webhooks: list[UUID]) -> list[Delivery]:
    """What was said the first time. The id is not part of what is signed, so where a body is
    never the same twice, the same body is the same delivery whatever its id."""
    same = Delivery.delivery == arrived.labels.delivery
    if arrived.notice.host in _UNLIKE and arrived.notice.kind in ("push", "pull"):
        same = or_(same, Delivery.body_sha256 == arrived.labels.digest)
    query = select(Delivery).where(Delivery.webhook_id.in_(webhooks), same)
    return list(await db.scalars(query.order_by(Delivery.id)))


def _why_nothing(notice: Notice) -> str:
    if notice.kind == "ping":
        return N_("The Git host tried the webhook: it works")
    if notice.kind == "push":
        return N_("It changes neither a branch nor a tag")
    return N_("Events of this kind start nothing")


async def _act_or_refuse(
    db: AsyncSession,
    row: Delivery,
    what: Push | PullEvent | None,
    taker: Taker,
    *,
    base_domain: str,
) -> None:
    """Do it in the name of the project's owner, or say why not."""
    try:
        async with db.begin_nested():
            if isinstance(what, Push):
                await acting.pushed(db, row, what, taker, base_domain=base_domain)
            elif what is not None:
                await acting.pulled(db, row, what, taker, base_domain=base_domain)
    except AppError as error:
        if error.status >= 500 or error.status == _RETRY_LATER:
            # The host sends it again.
            raise
        row.outcome, row.reason = Outcome.refused, _said(error)


def _said(error: AppError) -> str:
    """In English, with the wrong field where there is one."""
    fields = error.facts.get("fields")
    if isinstance(fields, list) and fields:
        return str(fields[0].get("message", error))  # pyright: ignore
    return str(error)
