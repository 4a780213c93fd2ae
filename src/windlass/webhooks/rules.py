"""What a push starts, by the rules of a project. Pure."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from windlass.core.languages import N_
from windlass.webhooks.payloads import Push

_SKIP = re.compile(r"\[(skip ci|ci skip|no ci|skip deploy|deploy skip)\]", re.IGNORECASE)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that goes to production, and globs for the rest."""

    branch: str
    preview_branches: Sequence[str] = ()
    tags: Sequence[str] = ()
    paths: Sequence[str] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment of `name`, or the reason why there is none."""

    name: str
    is_production: bool = False
    reason: str | None = None
    # The commit is why, and not the place it was pushed to.
    is_skipped: bool = False


def decide(push: Push, rules: Rules) -> Decision:
    """What becomes of a push (C-262)."""
    name, place = named(push.ref)
    reason, is_skipped = None, False
    if push.is_deleted:
        reason = N_("It was deleted")
    elif place is None:
        reason = N_("It is neither a branch nor a tag")
    elif place == "tag" and not matches(name, rules.tags):
        reason = N_("No rule deploys this tag")
    elif place == "branch" and name != rules.branch and not matches(name, rules.preview_branches):
        reason = N_("No rule deploys this branch")
    elif (skip := _SKIP.search(push.message)) is not None:
        reason, is_skipped = N_("The commit says {words}").format(words=skip[0]), True
    elif rules.paths and push.paths is not None and not touches(push.paths, rules.paths):
        reason, is_skipped = N_("It changes nothing below the paths of this project"), True
    is_production = place == "tag" or name == rules.branch
    return Decision(name=name, is_production=is_production, reason=reason, is_skipped=is_skipped)


def said_to_skip(message: str) -> str | None:
    """The words in a message that ask for no deployment."""
    return skip[0] if (skip := _SKIP.search(message)) is not None else None


def named(ref: str) -> tuple[str, str | None]:
    for start, place in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        if ref.startswith(start):
            return ref.removeprefix(start), place
    return ref, None


def matches(name: str, globs: Sequence[str]) -> bool:
    """Whether the globs take it: the last one that fits decides, `!` turns it round. Where the
    first takes something out, everything is in before."""
    is_in = bool(globs) and globs[0].startswith("!")
    for glob in globs:
        if _fits(name, glob.removeprefix("!")):
            is_in = not glob.startswith("!")
    return is_in


def touches(paths: Iterable[str], globs: Sequence[str]) -> bool:
    """Whether one of the paths is taken."""
    return any(matches(path, globs) for path in paths)


def _fits(name: str, glob: str) -> bool:
    """`*` stands for anything within a part, `**` for any number of parts, `?` for a letter; a
    glob that ends in a slash is all below it. In time that grows with both lengths, whatever they
    are: no regular expression is made of it."""
    glob = glob.removeprefix("/")
    parts = (glob + "**" if glob.endswith("/") else glob).split("/")
    return _wild(name.split("/"), parts, any_number="**")


def _wild(given: Sequence[str], wanted: Sequence[str], *, any_number: str) -> bool:
    """Wildcard match that goes back to the last star only."""
    at = place = 0
    star, resume = -1, 0
    while at < len(given):
        if place < len(wanted) and wanted[place] == any_number:
            star, resume = place, at
            place += 1
        elif place < len(wanted) and _one(given[at], wanted[place], any_number):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(part == any_number for part in wanted[place:])


def _one(given: str, wanted: str, any_number: str) -> bool:
    if any_number == "*":
        return wanted in ("?", given)
    return _wild(given, wanted.replace("**", "*"), any_number="*")
