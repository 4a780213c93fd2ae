"""What a caller of the builder can cause."""

from windlass.core.errors import BadRequest, Conflict, NotFound


class NoWorkload(BadRequest):
    """At least one workload is needed: a name and the image of a container."""

    reason = "no-workload"


class NotInForm(Conflict):
    """The form has no field for this fix. Mend it in the YAML instead."""

    reason = "not-in-form"


class AlreadyMended(NotFound):
    """There is no such finding any more, or it has no fix of its own."""


class NoSuchRule(NotFound):
    """There is no rule {name}."""


class NoSuchField(NotFound):
    """{kind} has no field {path}."""
