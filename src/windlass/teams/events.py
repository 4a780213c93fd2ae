"""Facts about teams."""

from uuid import UUID

from windlass.auth.permissions import Role
from windlass.core.events import Event


class Created(Event, frozen=True):
    team_id: UUID
    slug: str


class Changed(Event, frozen=True):
    team_id: UUID
    fields: tuple[str, ...]


class RetentionChanged(Event, frozen=True):
    """How many days the team's audit log is kept."""

    team_id: UUID
    days: int
    previous: int


class Deleted(Event, frozen=True):
    """`members` lost what was shared with the team."""

    team_id: UUID
    slug: str
    members: int
    projects: int


class MemberAdded(Event, frozen=True):
    team_id: UUID
    user_id: UUID
    role: Role


class RoleChanged(Event, frozen=True):
    team_id: UUID
    user_id: UUID
    role: Role
    previous: Role


class MemberRemoved(Event, frozen=True):
    """Somebody left (then it was they who did it) or was removed."""

    team_id: UUID
    user_id: UUID
    role: Role


class Invited(Event, frozen=True):
    team_id: UUID
    invitation_id: UUID
    email: str
    role: Role


class InvitationResent(Event, frozen=True):
    team_id: UUID
    invitation_id: UUID
    email: str


class InvitationRevoked(Event, frozen=True):
    team_id: UUID
    invitation_id: UUID
    email: str


class InvitationAccepted(Event, frozen=True):
    team_id: UUID
    user_id: UUID
    invitation_id: UUID
    email: str
    role: Role


class InvitationDeclined(Event, frozen=True):
    team_id: UUID
    user_id: UUID
    invitation_id: UUID
    email: str


class InvitationExpired(Event, frozen=True):
    team_id: UUID
    invitation_id: UUID
    email: str
