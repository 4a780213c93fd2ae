"""Redirects that lead a visitor round in circles are found before anybody walks them."""

from urllib.parse import unquote

from windlass.builds.detect.hostfiles.addresses import Addresses
from windlass.core.rules import Matcher, Rule, Rules, expand, placeholders

_MOST_STEPS = 10
_MOST_WALKS = 1_000
_SAMPLE = "x"


def circular(rules: Rules, addresses: Addresses) -> list[Rule]:
    """The redirects that come back to themselves, `/a` by way of `/b` or growing for ever.

    Each is followed a few steps, with a sample for what it captures. Rules with conditions are not
    followed: which of them apply is not known before the request. A file ends a walk where rules
    come after files, unless the edge itself sends its visitors on, to the page's own address.
    """
    matcher = Matcher(rules)
    followed = [r for r in rules.rules if r.action == "redirect" and r.target.startswith("/")]
    plain = [rule for rule in followed if not rule.conditions][:_MOST_WALKS]
    return [rule for rule in plain if _returns(rule, matcher, addresses)]


def _returns(start: Rule, matcher: Matcher, addresses: Addresses) -> bool:
    """Whether the rule comes up twice on its own way; once may be how a path is shortened."""
    address = _target(start, dict.fromkeys(placeholders(start.target), _SAMPLE))
    again = 0
    for _ in range(_MOST_STEPS):
        found = _next(address, matcher, addresses)
        if found is None:
            settled = addresses.settled(address) if addresses.has(address) else address
            if settled == address:
                return False
            address = settled
            continue
        rule, following = found
        again += rule is start
        if again > 1:
            return True
        address = following
    return False


def _next(address: str, matcher: Matcher, addresses: Addresses) -> tuple[Rule, str] | None:
    places = (matcher.before,) if addresses.has(address) else (matcher.before, matcher.after)
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
