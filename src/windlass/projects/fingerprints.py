"""Which variables a release was made with, kept so that they can be compared and never read.

Of each value only a keyed hash is kept, bound to the project and the name: who reads the table
learns no value, and cannot try short ones. It is kept with the name of its key, because hashes of
two keys cannot be compared: after a rotation it is said that it cannot be told.
"""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from windlass.core.crypto import KeyRing

Marks = Mapping[str, str]
Kind = Literal["added", "removed", "changed", "unknown"]


def of(env: Mapping[str, str], project_id: UUID, keys: KeyRing) -> dict[str, str]:
    """The names, each with what its value can be compared by."""
    key = keys.newest.hex()
    return {
        name: f"{key}:{keys.mark(value, context=_context(project_id, name))}"
        for name, value in env.items()
    }


def between(before: Marks | None, after: Marks | None) -> dict[str, Kind]:
    """What became of each name that differs; nothing when one of the two was not kept."""
    if before is None or after is None:
        return {}
    found: dict[str, Kind] = {}
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found[name] = "added"
        elif name not in after:
            found[name] = "removed"
        elif before[name] != after[name]:
            is_comparable = before[name].partition(":")[0] == after[name].partition(":")[0]
            found[name] = "changed" if is_comparable else "unknown"
    return found


def against(
    before: Marks, env: Mapping[str, str], project_id: UUID, keys: KeyRing
) -> dict[str, Kind]:
    """What became of each name that differs from these variables; with any key of the ring."""
    found: dict[str, Kind] = {}
    known = {keys.newest.hex(), *(key.hex() for key in keys.older)}
    for name in sorted(before.keys() | env.keys()):
        if name not in before:
            found[name] = "added"
        elif name not in env:
            found[name] = "removed"
        else:
            key, _, mark = before[name].partition(":")
            context = _context(project_id, name)
            if not keys.is_marked(env[name], mark, context=context):
                found[name] = "changed" if key in known else "unknown"
    return found


def _context(project_id: UUID, name: str) -> str:
    return f"fingerprint:{project_id}:{name}"
