"""What the routes of previews take and give."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from windlass.core.schemas import In, Out
from windlass.deployments.schemas import DeploymentOut


class ApprovalCreate(In):
    """With the commit that was looked at, another one that came meanwhile is not approved."""

    commit_sha: Annotated[str, Meta(pattern="^[0-9a-fA-F]{7,64}$")] | None = None


class SettingsChange(In):
    """Only what is given changes; null means as the instance says, and no password."""

    keep: Annotated[int, Meta(ge=1, le=100)] | msgspec.UnsetType | None = msgspec.UNSET
    days: Annotated[int, Meta(ge=0, le=3650)] | msgspec.UnsetType | None = msgspec.UNSET
    password: Annotated[str, Meta(min_length=8, max_length=200)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )


class SettingsOut(Out):
    """How many previews a project keeps, for how many days (0: for ever), and whether they ask for
    a password, which is never shown."""

    keep: int
    days: int
    has_password: bool


class PreviewOut(Out):
    """What an open pull request, or a branch, has as its preview."""

    id: str
    project_id: str
    branch: str
    pr_number: int | None
    title: str | None
    author: str | None
    is_fork: bool
    needs_approval: bool
    # The newest commit that the Git host told of; a fork's is built after approval.
    commit_sha: str | None
    commit_message: str | None
    # The address that shows the newest ready preview of the branch, where there is one.
    alias_url: str | None
    # Why the comment below the pull request could not be written, the last time.
    comment_error: str | None
    # The newest deployment of it.
    deployment: DeploymentOut | None
    created_at: dt.datetime
    updated_at: dt.datetime
