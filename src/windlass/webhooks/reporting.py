"""What the Git host is told about a deployment: the token for it, and the words.

The token goes to the host that the repository had when it was given, and to no other.
"""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project
from windlass.webhooks import events, service
from windlass.webhooks.models import Host, Webhook

_STATES = {Status.ready: "success", Status.error: "failure", Status.cancelled: "cancelled"}
_FULL = (40, 64)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment, as its Git host is told."""

    webhook_id: UUID
    project_id: UUID
    host: Host
    api_url: str
    repository_key: str
    repository_url: str
    token: str
    sha: str
    state: str
    path: str
    context: str
    text: str

    @property
    def repository(self) -> str:
        """Owner and name, in the letters of the URL where it has a path of its own."""
        return path_of(self.repository_key, self.repository_url)


def path_of(key: str, url: str) -> str:
    """Owner and name of a repository, in the letters of its URL where it has a path of its own."""
    path = key.partition("/")[2]
    given = url.rstrip("/").removesuffix(".git")
    return given[-len(path) :] if given.lower().endswith(path) else path


async def set_token(
    db: AsyncSession,
    project: Project,
    token: str,
    keys: KeyRing,
    *,
    host: Host,
    api_url: str,
    by: Actor,
) -> Webhook:
    """From now on the host is told what becomes of commits."""
    row = await service.get(db, project)
    row.token_sealed = keys.seal(token.encode(), context=context_of(project.id))
    row.token_host, row.api_url, row.report_error = host, api_url, None
    await db.flush()
    await db.refresh(row)
    await emit(db, events.ReportingStarted(project_id=project.id, host=host.value), by=by.id)
    return row


async def forget_token(db: AsyncSession, project: Project, *, by: Actor) -> Webhook:
    """The host is told nothing any more."""
    row = await service.get(db, project)
    row.token_sealed = row.token_host = row.api_url = row.report_error = None
    await db.flush()
    await db.refresh(row)
    await emit(db, events.ReportingEnded(project_id=project.id), by=by.id)
    return row


async def report_of(
    db: AsyncSession, deployment_id: UUID, keys: KeyRing
) -> tuple[Report, Deployment] | None:
    """What is to be said of a deployment as it is now; None: nothing, or to nobody."""
    query = (
        select(Deployment, Project, Webhook)
        .join(Project, Project.id == Deployment.project_id)
        .join(Webhook, Webhook.project_id == Project.id)
        .where(Deployment.id == deployment_id, Webhook.token_sealed.is_not(None))
    )
    if (found := (await db.execute(query)).one_or_none()) is None:
        return None
    deployment, project, webhook = found
    has_commit = deployment.commit_sha is not None and len(deployment.commit_sha) in _FULL
    if not has_commit or project.repository_key is None or webhook.token_host is None:
        return None
    token = keys.open_sealed(webhook.token_sealed or b"", context=context_of(project.id))
    report = Report(
        webhook_id=webhook.id,
        project_id=project.id,
        host=webhook.token_host,
        api_url=webhook.api_url or "",
        repository_key=project.repository_key,
        repository_url=project.repository_url or "",
        token=token.decode(),
        sha=deployment.commit_sha or "",
        state=_STATES.get(deployment.status, "pending"),
        path=f"/deployments/{ids.public('depl', deployment.id)}",
        context=f"windlass/{project.slug}" + ("/preview" if deployment.is_preview else ""),
        text=_said(deployment),
    )
    return report, deployment


def _said(deployment: Deployment) -> str:
    """In English: everybody who looks at the repository reads it."""
    match deployment.status:
        case Status.ready:
            seconds = deployment.build_time_seconds
            return "Ready" if seconds is None else f"Ready, built in {seconds:.0f} s"
        case Status.error:
            return deployment.error_message or "Failed"
        case Status.cancelled:
            return deployment.error_message or "Cancelled"
        case _:
            return "Waiting or building"


async def note(db: AsyncSession, report: Report, error: str | None) -> None:
    """Why the host was told nothing, for who looks at the page; None: it was told."""
    values: dict[str, Any] = {"report_error": error and error[:500]}
    changed = (
        update(Webhook)
        .where(
            Webhook.id == report.webhook_id,
            Webhook.report_error.is_distinct_from(values["report_error"]),
        )
        .values(values)
        .returning(Webhook.id)
    )
    if await db.scalar(changed) is not None:
        await announce(db, f"project:{report.project_id}")


def context_of(project_id: UUID) -> str:
    """What the seal of a token is tied to."""
    return f"git-token:{project_id}"
