"""What a caller can get wrong about releases."""

from windlass.core.errors import BadRequest, Conflict, IntegrationError, NotFound, ValidationFailed


class ReleaseNotFound(NotFound):
    """There is no such release, or you may not see it."""


class RevisionNotFound(NotFound):
    """The release has no revision {number}."""


class ReleaseBusy(Conflict):
    """Revision {revision} of this release is {status} at this moment. Wait for its end, or cancel
    it, and try again."""

    reason = "RELEASE_BUSY"


class NotMoving(Conflict):
    """Nothing is happening with this release that could be cancelled."""


class OtherKind(Conflict):
    """{name} is a release of kind {kind}. Choose another name, or delete it first."""


class NothingThere(Conflict):
    """This release was deleted; there is nothing of it in the cluster. Deploy a revision again to
    bring it back."""


class ManifestRefused(ValidationFailed):
    """The check found {errors} errors, so nothing was deployed. Each says how to mend it."""

    reason = "FINDINGS"


class ConfirmationNeeded(Conflict):
    """The check found {warnings} warnings. Look at them, and send `confirm` with the digest to
    deploy all the same."""

    reason = "CONFIRMATION_NEEDED"


class NoDocuments(ValidationFailed):
    """There is nothing to deploy: the text holds no Kubernetes object."""

    reason = "NO_DOCUMENTS"


class FormWithoutWorkload(BadRequest):
    """Add at least one workload."""

    reason = "FORM_WITHOUT_WORKLOAD"


class NamespaceImmutable(BadRequest):
    """A release stays in its namespace and on its cluster. Deploy a new one into the other, and
    delete this one."""

    reason = "NAMESPACE_IMMUTABLE"


class NoEarlierRevision(Conflict):
    """No earlier revision of this release was deployed. Name one with `revision`."""


class WrongConfirmation(Conflict):
    """To delete it, send `confirm` with the name of the release: {name}."""

    reason = "CONFIRMATION_NEEDED"


class ReadOnlyObject(Conflict):
    """{object} was made for the others and goes with the release; it cannot be deleted alone."""


class ObjectNotFound(NotFound):
    """The release has no such object."""


class ClusterRefused(IntegrationError):
    """The cluster did not answer as it should: {said}"""
