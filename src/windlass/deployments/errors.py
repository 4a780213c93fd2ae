"""What a caller can get wrong about deployments."""

from windlass.core.errors import BadRequest, Conflict, NotFound


class DeploymentNotFound(NotFound):
    """There is no such deployment, or you may not see it."""


class NothingToDeploy(BadRequest):
    """This project has no Git repository. Send a source, or set a repository in its settings."""


class OwnerSuspended(Conflict):
    """The account that owns this project is suspended: what is live stays live, and nothing new is
    deployed until an administrator of the platform lifts the suspension."""


class SourceFailed(Conflict):
    """The source could not be fetched: {reason}"""


class NotRunning(Conflict):
    """This deployment has ended ({status}) and cannot be cancelled."""


class StillRunning(Conflict):
    """This deployment is still running. Cancel it first, or wait."""


class CannotActivate(Conflict):
    """This deployment cannot be made live: {reason}"""


class IsActive(Conflict):
    """This deployment is live. Make another one live before you delete it."""


class BadFilter(BadRequest):
    """{field}: “{value}” is not one of {allowed}."""
