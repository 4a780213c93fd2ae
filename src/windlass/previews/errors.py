"""What can go wrong with previews."""

from windlass.core.errors import Conflict, NotFound


class PreviewNotFound(NotFound):
    """There is no such preview."""


class NothingToApprove(Conflict):
    """This preview does not wait for approval."""


class OtherCommit(Conflict):
    """The pull request moved on to the commit {commit}. Look at that one, then approve it."""
