"""What a caller can get wrong about clusters."""

from windlass.core.errors import Conflict, Forbidden, NotFound, ValidationFailed


class ClusterNotFound(NotFound):
    """There is no such cluster, or you may not see it."""


class ClusterNameTaken(Conflict):
    """You already have a cluster called {name}. Choose another name."""


class ClusterInUse(Conflict):
    """There are releases on {name}. Delete them first: without the cluster nobody could take them
    down."""


class OnlyClusterOwner(Forbidden):
    """Only the owner of a cluster can say which team uses it."""


class NamespaceNotAllowed(ValidationFailed):
    """{namespace} cannot be used on {cluster}: {why}."""

    reason = "NAMESPACE_NOT_ALLOWED"
