"""What a caller can get wrong when proving who they are."""

from windlass.core.errors import BadRequest, Conflict, Forbidden, Gone, Unauthorized


class WrongPassword(Unauthorized):
    """User name or e-mail, and password, do not match."""


class NotAllowed(Forbidden):
    """This action requires {permission} permission. Your role ({role}) does not have this
    permission."""


class SetupLinkUsed(Gone):
    """This link was already used, or is not the newest one. Sign in instead, or run
    `windlass setup-link` on the machine."""


class WrongCurrentPassword(BadRequest):
    """The current password is wrong."""


class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    reason = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__()
        self.facts["fields"] = [{"field": "email", "message": self.message}]


class UsernameTaken(Conflict):
    """Another account has this user name."""

    reason = "USERNAME_TAKEN"

    def __init__(self) -> None:
        super().__init__()
        self.facts["fields"] = [{"field": "username", "message": self.message}]


class NotSetUp(Forbidden):
    """This Windlass has no owner yet. Whoever runs it opens the set-up link first, which
    `windlass up` and `windlass setup-link` print."""

    reason = "NOT_SET_UP"


class SignUpClosed(Forbidden):
    """Nobody can sign up here by themselves. Ask an administrator of this Windlass."""

    reason = "SIGN_UP_CLOSED"


class InvitationNeeded(Forbidden):
    """Only who was invited can sign up here. Open the link in the invitation, or ask for one."""

    reason = "INVITATION_NEEDED"


class InvitationSpent(Gone):
    """This invitation was used, withdrawn or is too old. Ask for a new one."""


class InvitationForOther(Forbidden):
    """This invitation was sent to another address. Sign up with that one."""

    reason = "INVITATION_FOR_OTHER"


class LinkSpent(Gone):
    """This link was used already, or is too old. Ask for a new one."""


class SignInAgain(Forbidden):
    """The account has no password to confirm this with, and you signed in a while ago. Sign out,
    sign in again, and repeat it within ten minutes."""

    reason = "SIGN_IN_AGAIN"


class CannotLeave(Conflict):
    """The account cannot be deleted yet: {why}"""

    reason = "CANNOT_LEAVE"


class Suspended(Forbidden):
    """This account is suspended. An administrator of this Windlass can lift that."""


class TokenExpired(Unauthorized):
    """This API token expired on {on}. Make a new one, or sign in again."""

    reason = "TOKEN_EXPIRED"


class NoToken(BadRequest):
    """This request came with a session, not with an API token. Sign out instead."""


class TokenTooNarrow(Forbidden):
    """This action requires {permission} permission, and the API token was made without it."""
