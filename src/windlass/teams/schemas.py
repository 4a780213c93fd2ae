"""What the team routes take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.auth.permissions import GRANTS, Permission, Role
from windlass.auth.schemas import Email
from windlass.core.schemas import In, Out

RoleName = Literal["viewer", "member", "developer", "admin", "owner"]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Slug = Annotated[
    str,
    Meta(
        max_length=54,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        description="Use small letters, digits and dashes, a letter or digit at both ends",
    ),
]

RetentionDays = Annotated[int, Meta(ge=7, le=2555)]


class TeamCreate(In):
    """Without a slug, the address is made of the name."""

    name: Name
    slug: Slug | None = None


class TeamChange(In):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    slug: Slug | msgspec.UnsetType = msgspec.UNSET
    audit_retention_days: RetentionDays | msgspec.UnsetType = msgspec.UNSET


class Face(Out):
    """Enough of somebody to draw a small picture."""

    name: str
    image: str | None


class TeamOut(Out):
    """A team, what one is in it, and how large it is (C-182)."""

    id: str
    name: str
    slug: str
    role: RoleName
    member_count: int
    project_count: int
    faces: list[Face]
    audit_retention_days: int
    created_at: dt.datetime

    def may(self, permission: str) -> bool:
        """Whether the role of the caller allows it."""
        return Permission(permission) in GRANTS[Role(self.role.upper())]


class MemberOut(Out):
    id: str
    name: str | None
    email: str | None
    image: str | None
    role: RoleName
    joined_at: dt.datetime


class InvitationOut(Out):
    """An invitation as the team and as the invited see it."""

    id: str
    team_id: str
    team_name: str
    team_slug: str
    email: str
    role: RoleName
    status: Literal["pending", "accepted", "declined", "expired"]
    invited_by: str | None
    created_at: dt.datetime
    expires_at: dt.datetime


class Invite(In):
    """Who shall come, as what. For members: an account that exists is added at once."""

    email: Email
    role: RoleName = "member"


class Added(Out):
    """What adding somebody came to: they are in, or they were asked (E-06)."""

    outcome: Literal["added", "invited"]
    member: MemberOut | None = None
    invitation: InvitationOut | None = None


class RoleChange(In):
    role: RoleName


class HandOver(In):
    """Who owns the team from now on."""

    user_id: Annotated[str, Meta(max_length=64)]
