"""What a Git host, or who sets one up, can get wrong."""

from windlass.core.errors import BadRequest, Conflict, NotFound, Unauthorized, Unavailable


class PayloadRefused(BadRequest):
    """This has not the form that the Git host documents: {why}"""


class NotFromCloud(BadRequest):
    """This comes from Bitbucket Data Center; only deliveries of Bitbucket Cloud are read. Let a
    pipeline run windlass deploy, or push to Windlass itself: git push windlass main."""


class NotGenuine(Unauthorized):
    """No project takes this: the repository is in no project, or the signature is wrong."""


class NotSetUp(Unavailable):
    """No project has a webhook yet. Connect one in the settings of a project."""


class HostUnknown(NotFound):
    """Webhooks come from github, gitlab, gitea (also Forgejo) or bitbucket."""


class NotConnected(NotFound):
    """The project is not connected to its Git host. Connect it first."""


class AlreadyConnected(Conflict):
    """The project is connected already. A new secret replaces the old one under “secret”."""


class HostNotNamed(BadRequest):
    """Say what {name} runs: github, gitlab, gitea (also Forgejo) or bitbucket."""


class NoRepository(Conflict):
    """The project has no Git repository. Set one in its settings first."""
