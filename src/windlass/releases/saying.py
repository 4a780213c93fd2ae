"""What a cluster's refusal means and what to do about it, in two sentences."""

from windlass.adapters.kube import errors

_KINDS: tuple[tuple[type[errors.KubeError], str, str], ...] = (
    (
        errors.Away,
        "The cluster does not answer: {said}",
        "See that it runs and that its address is right, then deploy again.",
    ),
    (
        errors.Untrusted,
        "The cluster cannot prove that it is the one: {said}",
        "Give the cluster its certificate authority in the settings of the cluster.",
    ),
    (
        errors.AddressNotAllowed,
        "{said}",
        "Give the cluster another address.",
    ),
    (
        errors.Unauthorized,
        "The cluster does not take our credential any more: {said}",
        "Its token has ended or was withdrawn. Give the cluster a new one, then deploy again.",
    ),
    (
        errors.Terminating,
        "The namespace is being deleted: {said}",
        "Wait until it is gone, then deploy again.",
    ),
    (
        errors.QuotaExceeded,
        "A quota of the namespace refuses it: {said}",
        "Ask for less, delete what is not needed, or raise the quota.",
    ),
    (
        errors.Forbidden,
        "Our credential may not do that: {said}",
        "Give its account the permission that is named, or use another credential.",
    ),
    (
        errors.NoSuchKind,
        "{said}",
        "Install what brings this kind, or use an apiVersion that the cluster has.",
    ),
    (
        errors.TooMany,
        "The cluster is asked too much at this moment: {said}",
        "Try again in a moment.",
    ),
    (
        errors.NotFound,
        "There is no such namespace or object: {said}",
        "Make the namespace first, or let the release make it.",
    ),
    (
        errors.Broken,
        "The cluster answered with an error of its own: {said}",
        "Look at the API server and its webhooks, then deploy again.",
    ),
)


def said(error: errors.KubeError) -> tuple[str, str]:
    """(what is wrong, what to do)."""
    match error:
        case errors.Denied():
            return (
                f"The cluster's admission ({error.by}) refuses it: {error.message}",
                "Change what it names, or ask whoever runs that policy.",
            )
        case errors.Conflict() if error.owners:
            return (
                "Others decide about these fields: " + ", ".join(owners(error)),
                "Leave the fields out, or confirm that this release takes them over (force).",
            )
        case errors.Invalid() if error.causes:
            told = "; ".join(f"{one.field}: {one.message}" for one in error.causes[:5])
            return f"The cluster finds it wrong: {told}", "Mend the fields that are named."
        case _:
            pass
    for kind, message, hint in _KINDS:
        if isinstance(error, kind):
            return message.format(said=error.message), hint
    return error.message, ""


def owners(error: errors.Conflict) -> list[str]:
    return [f"{one.field} ({one.manager})" for one in error.owners]


def line(error: errors.KubeError) -> str:
    """Both as one line, for the reason of a release."""
    return " ".join(part for part in said(error) if part)
