"""`.dockerignore`: which files of a source a build may see. The last line that matches decides.

Patterns are relative to the folder that is built, and one that matches a folder covers what is in
it. They become expressions in linear time, because strangers write them.
"""

import posixpath
import re
from collections.abc import Callable
from itertools import groupby

from windlass.builds.errors import ManifestBroken
from windlass.core import linear

FILE = ".dockerignore"
MAX_BYTES = 64 << 10
_TOKENS = re.compile(r"\*\*/?|\*|\?|\[\^?[^\]/]+\]|\\.|.", re.DOTALL)


def sees(text: str) -> Callable[[str], bool]:
    """Whether a build sees a file, by its path. Raises ManifestBroken."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    rules = [_rule(line) for line in lines if line and not line.startswith("#")]
    # Neighbours of one kind are one expression: a long file costs as much as a short one.
    groups: list[tuple[bool, linear.Pattern]] = []
    for is_kept, group in groupby(rules, key=lambda rule: rule[0]):
        together = "|".join(pattern for _, pattern in group)
        try:
            groups.append((is_kept, linear.compile(f"(?:{together})(?:/.*)?")))
        except ValueError as error:
            raise ManifestBroken(
                file=FILE, reason=f"a pattern is not understood: {error}"
            ) from None
    groups.reverse()

    def is_seen(path: str) -> bool:
        return next((kept for kept, pattern in groups if pattern.whole(path) is not None), True)

    return is_seen


def _rule(line: str) -> tuple[bool, str]:
    is_kept = line.startswith("!")
    pattern = posixpath.normpath((line[1:] if is_kept else line).strip().lstrip("/") or ".")
    return is_kept, "" if pattern == "." else "".join(map(_translated, _TOKENS.findall(pattern)))


def _translated(token: str) -> str:
    if token == "**/":
        return "(?:.*/)?"
    if token == "**":
        return ".*"
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token.startswith("[") and len(token) > 2:
        inside = token[1:-1]
        return (
            "["
            + ("^" if inside.startswith("^") else "")
            + re.sub(r"[\\\[\]^&~|]", lambda found: "\\" + found[0], inside.lstrip("^"))
            + "]"
        )
    return re.escape(token[-1])
