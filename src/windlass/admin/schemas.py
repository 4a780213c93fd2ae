"""What the routes of administration take and give."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from windlass.core.schemas import In, Out

PlanName = Literal["free", "pro", "team", "enterprise"]
Search = Annotated[
    str, Meta(max_length=200, description="A part of a name or address, or a whole id.")
]
State = Literal["active", "suspended", "admin"]
Sort = Literal["createdAt", "-createdAt"]


class Overview(Out):
    """How much of everything there is (B-052). Deleted accounts and projects do not count."""

    total_users: int
    suspended_users: int
    teams: int
    projects: int
    live_sites: int
    deployments_last_24_hours: int
    # Nothing is sold and no cluster is known yet; what is counted is the plan of an account.
    active_clusters: int
    paid_subscriptions: int
    actions_last_24_hours: int


class PersonOut(Out):
    """An account as administrators see it."""

    id: str
    username: str | None
    email: str | None
    name: str | None
    plan: PlanName
    is_admin: bool
    is_verified: bool
    suspended_at: dt.datetime | None
    created_at: dt.datetime
    last_seen_at: dt.datetime | None
    session_count: int
    team_count: int
    project_count: int


class PersonChange(In):
    plan: PlanName | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET


class TeamRow(Out):
    """A team as administrators see it; `owners` by their addresses."""

    id: str
    name: str
    slug: str
    owners: list[str]
    member_count: int
    project_count: int
    created_at: dt.datetime


class ProjectRow(Out):
    """A project as administrators see it. What is in it stays its owner's."""

    id: str
    name: str
    slug: str
    host: str
    owner_id: str
    owner: str
    owner_plan: PlanName
    is_live: bool
    deployment_count: int
    created_at: dt.datetime
