"""What a caller can get wrong about teams."""

from windlass.core.errors import Conflict, Forbidden, Gone, NotFound


class TeamNotFound(NotFound):
    """There is no such team, or you are not in it."""


class TeamSlugTaken(Conflict):
    """The address {slug} belongs to another team. Choose another name."""


class MemberNotFound(NotFound):
    """There is no such member in this team."""


class AlreadyMember(Conflict):
    """{email} is already in this team."""


class LastOwner(Conflict):
    """A team needs an owner, and this is the last one. Make somebody else an owner first, or delete
    the team."""


class OwnTeamAlready(Conflict):
    """The team is yours already."""


class AboveOwnRole(Forbidden):
    """Your role ({role}) cannot grant the role {wanted}. An owner of the team can."""


class OwnerUntouchable(Forbidden):
    """Your role ({role}) cannot change or remove an owner. Another owner of the team can."""


class InvitationNotFound(NotFound):
    """There is no such invitation. It may have been withdrawn."""


class AlreadyInvited(Conflict):
    """{email} was already invited and has not answered yet. Send the invitation again, or withdraw
    it."""


class InvitationExpired(Gone):
    """This invitation expired on {day}. Ask for a new one."""


class InvitationUsed(Gone):
    """This invitation was already {status}. It works once."""


class OtherAddress(Forbidden):
    """This invitation is for another e-mail address than yours. Sign in with the account that has
    that address, or ask to be invited by yours."""


class AddressNotVerified(Forbidden):
    """Confirm your e-mail address first: only then it is sure that the invitation is for you."""
