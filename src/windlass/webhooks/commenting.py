"""What the comment below a pull request says, and with whose token.

English, as everybody who looks at the repository reads it. Nothing that a commit can choose stands
in it as Markdown.
"""

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.git_comments import Comment
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.previews.models import Preview
from windlass.projects.models import Project, Site
from windlass.webhooks import reporting
from windlass.webhooks.models import Host, Webhook

_WORDS = {
    Status.queued: "Waiting for its turn",
    Status.building: "Building",
    Status.deploying: "Starting",
    Status.ready: "Ready",
    Status.error: "Failed",
    Status.cancelled: "Cancelled",
}
_LONGEST_REASON = 200


class Addressed(msgspec.Struct, frozen=True, kw_only=True):
    """A comment, and the API that it goes to."""

    comment: Comment
    host: Host
    api_url: str
    repository_key: str
    repository_url: str
    repository: str
    token: str


async def comment_of(
    db: AsyncSession, settings: Settings, preview_id: UUID, keys: KeyRing
) -> Addressed | None:
    """What is to be said now; None: nothing, or to nobody."""
    query = (
        select(Preview, Project, Webhook)
        .join(Project, Project.id == Preview.project_id)
        .join(Webhook, Webhook.project_id == Project.id)
        .where(
            Preview.id == preview_id,
            Preview.pull_number.is_not(None),
            Webhook.token_sealed.is_not(None),
            Project.deleted_at.is_(None),
        )
    )
    if (found := (await db.execute(query)).one_or_none()) is None:
        return None
    row, project, webhook = found
    newest = await _newest(db, row)
    if project.repository_key is None or webhook.token_host is None:
        return None
    is_nothing = row.ended_at is not None or (newest is None and not row.needs_approval)
    if is_nothing and row.comment_id is None:
        # There was never anything to see.
        return None
    mark = f"[//]: # (windlass:{ids.public('proj', project.id)})"
    lines = [mark, "", f"**Windlass: {project.slug}**", ""]
    lines += await _lines(db, settings, row, newest)
    context = reporting.context_of(project.id)
    token = keys.open_sealed(webhook.token_sealed or b"", context=context).decode()
    return Addressed(
        comment=Comment(
            number=row.pull_number or 0, text="\n".join(lines), mark=mark, id=row.comment_id
        ),
        host=webhook.token_host,
        api_url=webhook.api_url or "",
        repository_key=project.repository_key,
        repository_url=project.repository_url or "",
        repository=reporting.path_of(project.repository_key, project.repository_url or ""),
        token=token,
    )


async def _lines(
    db: AsyncSession, settings: Settings, row: Preview, newest: Deployment | None
) -> list[str]:
    if row.ended_at is not None:
        return ["The preview was removed."]
    page = f"{settings.panel_url}/projects/{ids.public('proj', row.project_id)}/previews"
    if row.needs_approval:
        commit = (row.commit_sha or "")[:12]
        return [
            f"The commit `{commit}` comes from a fork. It is built when somebody who may deploy"
            f" this project [has looked at it and approves it]({page}).",
        ]
    if newest is None:
        return ["There is no preview yet."]
    table = [("Status", _status(newest))]
    answers = (newest.plan or {}).get("kind") != "worker"
    if not answers:
        table.append(("Preview", "Its workers run; it has no address"))
    elif newest.status is Status.ready and newest.pruned_at is None:
        table.append(("Preview", settings.site_url(newest.host)))
    if answers and (alias := await _alias(db, row)) is not None:
        table.append(("Newest of the branch", settings.site_url(alias)))
    table.append(("Commit", f"`{(newest.commit_sha or '')[:12]}`"))
    log = f"{settings.panel_url}/deployments/{ids.public('depl', newest.id)}"
    table.append(("Log", f"[Open the log]({log})"))
    return ["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in table)]


def _status(deployment: Deployment) -> str:
    words = _WORDS[deployment.status]
    if deployment.status is Status.ready and deployment.build_time_seconds is not None:
        return f"{words}, built in {deployment.build_time_seconds:.0f} s"
    if deployment.error_message and deployment.status in (Status.error, Status.cancelled):
        return f"{words}: {_as_code(deployment.error_message)}"
    return words


def _as_code(text: str) -> str:
    """Letters that mean nothing: no link, no mention, no cell of the table."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "/")
    return f"`{plain[:_LONGEST_REASON]}`"


async def _newest(db: AsyncSession, row: Preview) -> Deployment | None:
    query = (
        select(Deployment)
        .where(
            Deployment.project_id == row.project_id,
            Deployment.branch == row.branch,
            Deployment.is_preview,
        )
        .order_by(Deployment.id.desc())
        .limit(1)
    )
    return await db.scalar(query)


async def _alias(db: AsyncSession, row: Preview) -> str | None:
    query = select(Site.host).where(
        Site.project_id == row.project_id,
        Site.alias_of == row.branch,
        Site.wanted_id.is_not(None),
    )
    return await db.scalar(query)
