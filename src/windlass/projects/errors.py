"""What a caller can get wrong about projects."""

from windlass.core.errors import Conflict, NotFound


class ProjectNotFound(NotFound):
    """There is no such project, or you may not see it."""


class SlugTaken(Conflict):
    """You already have a project called {slug}. Choose another name."""


class HostTaken(Conflict):
    """The host name {host} belongs to another project. Choose another name."""


class VariableNotFound(NotFound):
    """There is no such variable."""
