"""What an administrator of the platform can get wrong."""

from windlass.core.errors import Conflict, NotFound


class PersonNotFound(NotFound):
    """There is no such account. It may have been deleted."""


class OwnAccount(Conflict):
    """You cannot suspend your own account. Another administrator can."""


class LastAdmin(Conflict):
    """A Windlass needs an administrator, and this is the last one. Make somebody else one first."""
