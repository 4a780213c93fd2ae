"""Redirects that lead a visitor round in circles are found before anybody walks them."""

from collections.abc import Callable
from urllib.parse import unquote

from windlass.core.rules import Matcher, Rule, Rules, expand, placeholders

_MOST_STEPS = 10
_MOST_WALKS = 1_000
_SAMPLE = "x"


def circular(rules: Rules, exists: Callable[[str], bool]) -> list[Rule]:
    """The redirects that come back to themselves, `/a` by way of `/b` or growing for ever.

    Each is followed a few steps, with a sample for what it captures. Rules with conditions are not
    followed: which of them apply is not known before the request. `exists` says which addresses
    are files: those end a walk, where rules come after files.
    """
    matcher = Matcher(rules)
    followed = [r for r in rules.rules if r.action == "redirect" and r.target.startswith("/")]
    plain = [rule for rule in followed if not rule.conditions][:_MOST_WALKS]
    return [rule for rule in plain if _returns(rule, matcher, exists)]


def _returns(start: Rule, matcher: Matcher, exists: Callable[[str], bool]) -> bool:
    """Whether the rule comes up twice on its own way; once may be how a path is shortened."""
    address = _target(start, dict.fromkeys(placeholders(start.target), _SAMPLE))
    again = 0
    for _ in range(_MOST_STEPS):
        found = _next(address, matcher, exists)
        if found is None:
            return False
        rule, following = found
        again += rule is start
        if again > 1:
            return True
        address = following
    return False


def _next(address: str, matcher: Matcher, exists: Callable[[str], bool]) -> tuple[Rule, str] | None:
    places = (matcher.before,) if exists(address) else (matcher.before, matcher.after)
    for ordered in places:
        for rule, values in ordered.find(address, None):
            if rule.action == "rewrite":
                return None
            following = _target(rule, values)
            # The edge does not send anybody to where they are.
            if following == address and not rule.conditions:
                continue
            return None if not rule.target.startswith("/") else (rule, following)
    return None


def _target(rule: Rule, values: dict[str, str]) -> str:
    return unquote(expand(rule.target, values).split("?")[0].split("#")[0])
