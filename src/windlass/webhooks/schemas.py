"""What the webhook routes take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.core import ids
from windlass.core.schemas import In, Out
from windlass.webhooks.models import Delivery, Host, Webhook

_GLOB_PATTERN = r"^!?[^\x00-\x1f\x7f!][^\x00-\x1f\x7f]*$"
BranchGlob = Annotated[str, Meta(max_length=200, pattern=_GLOB_PATTERN, examples=["feature/**"])]
TagGlob = Annotated[str, Meta(max_length=200, pattern=_GLOB_PATTERN, examples=["v*"])]
PathGlob = Annotated[str, Meta(max_length=200, pattern=_GLOB_PATTERN, examples=["web/**"])]
Secret = Annotated[
    str,
    Meta(
        min_length=16,
        max_length=200,
        pattern="^[!-~]+$",
        description="16 to 200 letters without spaces; left out, one is made",
        examples=["4f1d6a0c9b7e4f1d6a0c9b7e"],
    ),
]


class WebhookCreate(In):
    """With a secret of one's own one webhook of a repository serves several projects."""

    secret: Secret | None = None


class WebhookChange(In):
    """Only what is given changes. Globs: `*` within a part, `**` any number of parts, `!` takes
    out again; the last one that fits counts."""

    preview_branches: Annotated[tuple[BranchGlob, ...], Meta(max_length=50)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    pull_requests: bool | msgspec.UnsetType = msgspec.UNSET
    tags: Annotated[tuple[TagGlob, ...], Meta(max_length=50)] | msgspec.UnsetType = msgspec.UNSET
    paths: Annotated[tuple[PathGlob, ...], Meta(max_length=50)] | msgspec.UnsetType = msgspec.UNSET


class TokenSet(In):
    """An access token of the Git host that may write commit statuses."""

    token: Annotated[
        str, Meta(min_length=8, max_length=400, pattern="^[!-~]+$", examples=["glpat-0a1b2c3d4e5f"])
    ]
    # What the host runs, where its name does not tell.
    host: Literal["github", "gitlab", "gitea", "bitbucket"] | None = None


class Addresses(Out):
    """Where each kind of Git host sends its webhooks."""

    github: str
    gitlab: str
    gitea: str
    bitbucket: str


class WebhookOut(Out):
    """How a project is connected to its Git host. The secret is shown when it is made, only."""

    project_id: str
    repository: str | None
    production_branch: str
    preview_branches: list[str]
    pull_requests: bool
    tags: list[str]
    paths: list[str]
    addresses: Addresses
    # The host that is told what becomes of commits, and why it could not be, the last time.
    reports_to: str | None
    report_error: str | None
    # The project got another owner: pushes start nothing until a new secret is made.
    needs_secret: bool
    created_at: dt.datetime
    # Only in the answer that made it.
    secret: str | None = None

    @classmethod
    def of(
        cls, row: Webhook, *, repository: str | None, branch: str, panel: str, secret: str | None
    ) -> "WebhookOut":
        project = ids.public("proj", row.project_id)
        return cls(
            project_id=project,
            repository=repository,
            production_branch=branch,
            preview_branches=list(row.preview_branches),
            pull_requests=row.pull_requests,
            tags=list(row.tags),
            paths=list(row.paths),
            addresses=addresses(panel, project),
            reports_to=row.token_host.value if row.token_host else None,
            report_error=row.report_error,
            needs_secret=row.secret_sealed is None,
            secret=secret,
            created_at=row.created_at,
        )


def addresses(panel: str, project: str) -> Addresses:
    """With the project in them, because a host may refuse two webhooks with one address."""
    return Addresses(
        **{host.value: f"{panel}/api/webhooks/{host.value}?projectId={project}" for host in Host}
    )


class DeliveryOut(Out):
    """What became of one push of a delivery."""

    id: str
    project_id: str
    host: str
    delivery: str
    event: str
    ref: str | None
    commit_sha: str | None
    outcome: str
    reason: str | None
    deployment_id: str | None
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Delivery) -> "DeliveryOut":
        return cls(
            id=ids.public("dlv", row.id),
            project_id=ids.public("proj", row.project_id),
            host=row.host.value,
            delivery=row.delivery,
            event=row.event,
            ref=row.ref or None,
            commit_sha=row.commit_sha,
            outcome=row.outcome.value,
            reason=row.reason,
            deployment_id=ids.public("depl", row.deployment_id) if row.deployment_id else None,
            created_at=row.created_at,
        )
