"""What a caller can get wrong about projects."""

from windlass.core.errors import Conflict, Forbidden, NotFound


class ProjectNotFound(NotFound):
    """There is no such project, or you may not see it."""


class SlugTaken(Conflict):
    """You already have a project called {slug}. Choose another name."""


class HostTaken(Conflict):
    """The host name {host} belongs to another project. Choose another name."""


class VariableNotFound(NotFound):
    """There is no such variable."""


class AlreadyShared(Conflict):
    """The project is already shared with this team."""


class NotShared(NotFound):
    """The project is not shared with this team."""


class OnlyOwner(Forbidden):
    """Only the owner of a project can give it away."""


class OwnAlready(Conflict):
    """The project is yours already."""


class PersonNotNear(NotFound):
    """A project can be given to a member of a team that it is shared with. Share it with a team of
    theirs first."""


class NewOwnerHasSlug(Conflict):
    """{name} already has a project with the name {slug} in its address. One of the two has to be
    deleted first."""
