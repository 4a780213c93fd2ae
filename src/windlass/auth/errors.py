"""What a caller can get wrong when proving who they are."""

from windlass.core.errors import BadRequest, Conflict, Forbidden, Gone, Unauthorized


class WrongPassword(Unauthorized):
    """E-mail and password do not match."""


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


class Suspended(Forbidden):
    """This account is suspended. An administrator of this Windlass can lift that."""


class TokenTooNarrow(Forbidden):
    """This action requires {permission} permission, and the API token was made without it."""
