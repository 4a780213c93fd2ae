"""The small notations of a compose file: durations, sizes, ports, commands, variables."""

import re
import shlex
from collections.abc import Iterator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": "", "b": "", "k": "Ki", "m": "Mi", "g": "Gi", "t": "Ti"}
_PORT = re.compile(
    r"(?:(?:\[[0-9a-fA-F:]+\]|\d+\.\d+\.\d+\.\d+):)?(?:(?P<published>[0-9-]*):)?"
    r"(?P<target>\d+)(?:-(?P<last>\d+))?(?:/(?P<protocol>tcp|udp|sctp))?"
)
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<rest>(?:[^{}]|\{[^{}]*\})*))?\})"
)
_MOST_PORTS = 100
_OUTSIDE = re.compile(r"[^a-z0-9-]+")


def seconds(value: object) -> int | None:
    """`1m30s` → 90; at least one second. None: it is no duration."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(1, value)
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return max(1, round(sum(float(number) * _SECONDS[unit] for number, unit in parts)))


def size(value: object) -> str | None:
    """`512m` → `512Mi`: a compose file counts in 1024. None: it is no size."""
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        return None
    number, unit = match[1], _UNITS[match[2].lower()]
    return f"{number}{unit}" if unit else str(round(float(number)))


class Port:
    """One port of a service: what the container listens on, and what was published."""

    def __init__(self, target: int, protocol: str, published: str) -> None:
        self.target, self.protocol, self.published = target, protocol.upper(), published


def ports(value: object) -> list[Port] | None:
    """`8080:80`, `127.0.0.1:53:53/udp`, `3000-3002`, or the long form. None: it is no port."""
    if isinstance(value, dict):
        found = {str(key): one for key, one in value.items()}
        target = found.get("target")
        text = f"{target}/{found.get('protocol') or 'tcp'}"
        published = str(found.get("published") or "")
        made = ports(text)
        return [Port(one.target, one.protocol, published) for one in made or ()] or None
    match = _PORT.fullmatch(str(value).strip())
    if match is None:
        return None
    first = int(match["target"])
    last = int(match["last"] or first)
    if not 1 <= first <= last <= 65_535 or last - first >= _MOST_PORTS:
        return None
    protocol, published = match["protocol"] or "tcp", match["published"] or ""
    return [Port(number, protocol, published) for number in range(first, last + 1)]


def words(value: object) -> list[str] | None:
    """A command as its words. None: quotes do not match."""
    if isinstance(value, list):
        return [str(one) for one in value]
    try:
        return shlex.split(str(value))
    except ValueError:
        return None


def name(text: str) -> str:
    """A name as Kubernetes takes it: `My_DB` → `my-db`."""
    made = _OUTSIDE.sub("-", text.lower()).strip("-")[:50].rstrip("-")
    return made or "app"


class Filled:
    """A text with its variables filled in, and which of them had a default or nothing."""

    def __init__(self, text: str) -> None:
        self.defaults: list[str] = []
        self.missing: list[str] = []
        self.text = _VARIABLE.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["name"]
        how = (match["how"] or "").lstrip(":")
        if how == "-":
            self.defaults.append(name)
            inner = Filled(match["rest"])
            self.defaults += inner.defaults
            self.missing += inner.missing
            return inner.text
        if how != "+":
            self.missing.append(name)
        return ""


def pairs(value: object) -> Iterator[tuple[str, object]]:
    """A mapping, or a list of `name=value`; None where only a name stands."""
    if isinstance(value, dict):
        yield from ((str(key), one) for key, one in value.items())
    elif isinstance(value, list):
        for one in value:
            key, sign, rest = str(one).partition("=")
            yield key, rest if sign else None
