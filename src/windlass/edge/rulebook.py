"""The rules of one site, asked for each of its requests. Sites without rules never come here."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from windlass.core import rules
from windlass.core.rules import Kind, Matcher, Rule, Rules
from windlass.edge import paths
from windlass.edge.request import Request

_MOST_FIELDS = 100


class Redirected:
    """Where a rule sends the visitor."""

    __slots__ = ("keep_query", "location", "status")

    def __init__(self, status: int, location: bytes, *, keep_query: bool) -> None:
        self.status = status
        self.location = location
        self.keep_query = keep_query


class Rewritten:
    """Which address's file a rule answers with."""

    __slots__ = ("name", "status")

    def __init__(self, name: str, status: int) -> None:
        self.name = name
        self.status = status


class Rulebook:
    """Raises ValueError when the rules cannot be matched."""

    def __init__(self, given: Rules) -> None:
        self._matcher = Matcher(given)
        self.trailing_slash = given.trailing_slash
        self.has_headers = bool(given.headers)

    def before(self, address: str, request: Request) -> Redirected | Rewritten | None:
        """What comes before the files of the site."""
        for rule, values in self._matcher.before.find(address, _Visit(request)):
            found = _outcome(rule, values, request)
            if found is not None:
                return found
        return None

    def after(self, address: str, request: Request) -> list[Redirected | Rewritten]:
        """What may stand in for a missing file; a rewrite to another missing one is passed over."""
        found = [
            _outcome(rule, values, request)
            for rule, values in self._matcher.after.find(address, _Visit(request))
        ]
        return [each for each in found if each is not None]

    def redirect(self, request: Request) -> Redirected | None:
        """Of an app: only where to send the visitor; what its addresses mean it knows itself."""
        name = paths.decode(request.path)
        if name is None:
            return None
        address = f"/{name}"
        for ordered in (self._matcher.before, self._matcher.after):
            for rule, values in ordered.find(address, _Visit(request)):
                found = _outcome(rule, values, request) if rule.action == "redirect" else None
                if isinstance(found, Redirected):
                    return found
        return None

    def headers(self, address: str) -> dict[str, tuple[str, str]]:
        """By lower-case name: the name as it was written and the value. The last one wins."""
        return {name.lower(): (name, value) for name, value in self._matcher.headers(address)}


class _Visit:
    """A request as conditions see it."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def value(self, kind: Kind, key: str) -> str | None:
        request = self._request
        match kind:
            case "host":
                return request.host
            case "header":
                found = request.headers.get(key.encode("latin-1", "replace").lower())
                return None if found is None else found.decode("latin-1")
            case "cookie":
                return self._cookie(key)
            case "query":
                return self._query(key)

    def _cookie(self, key: str) -> str | None:
        try:
            jar = SimpleCookie(self._request.headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return None
        return jar[key].value if key in jar else None

    def _query(self, key: str) -> str | None:
        text = self._request.query.decode("latin-1")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            return None
        return next((value for name, value in pairs if name == key), None)


def _outcome(rule: Rule, values: dict[str, str], request: Request) -> Redirected | Rewritten | None:
    if rule.action == "rewrite":
        return Rewritten(rules.expand(rule.target, values, escaped=False)[1:], rule.status)
    location = rules.expand(rule.target, values).encode()
    if location == request.path and not rule.conditions:
        # It would send the visitor here again, for ever.
        return None
    return Redirected(rule.status, location, keep_query=rule.keep_query)
