"""Who owns which field, and what applying does with that: server-side apply as
`structured-merge-diff` has it, with `managedFields` in their real form (fieldsV1).

A path is a tuple of elements as they stand in fieldsV1: `f:name` a field, `k:{…}` an item by its
keys, `v:…` an item of a set.
"""

import copy
import json
from typing import Any, NamedTuple

from tests.kube.listing import Typed, key_of

Path = tuple[str, ...]
Object = dict[str, Any]
_SERVERS = {
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "uid"),
    ("metadata", "resourceVersion"),
    ("metadata", "generation"),
    ("metadata", "creationTimestamp"),
    ("metadata", "managedFields"),
    ("metadata", "selfLink"),
    ("metadata", "deletionTimestamp"),
    ("metadata", "deletionGracePeriodSeconds"),
}
# Maps that Go leaves out where they are empty.
_LEFT_OUT_EMPTY = {"labels", "annotations", "data", "stringData", "binaryData", "nodeSelector"}


class Owner(NamedTuple):
    manager: str
    operation: str
    api_version: str
    subresource: str = ""


Owned = dict[Owner, set[Path]]


class Conflicts(Exception):
    """Others own what was to be changed."""

    def __init__(self, found: list[tuple[Owner, Path]]) -> None:
        self.found = found


def applied(
    live: Object | None, config: Object, owned: Owned, owner: Owner, typed: Typed, *, force: bool
) -> tuple[Object, Owned]:
    """What an object becomes, and who owns it then. Raises Conflicts."""
    wanted = set(flat(config, typed))
    before = owned.get(owner, set())
    others = {who: set(paths) for who, paths in owned.items() if who != owner}
    base = live or {}
    merged = _merged(base, config, typed)
    is_, was = flat(merged, typed), flat(base, typed)
    changed = {path for path in is_ if path not in was or was[path] != is_[path]}
    conflicts = [
        (who, path) for who, paths in others.items() for path in sorted(paths & changed & wanted)
    ]
    if conflicts and not force:
        raise Conflicts(conflicts)
    for who, path in conflicts:
        others[who].discard(path)
    kept = set().union(*others.values()) if others else set()
    # An item as a whole before its fields: without its keys nobody would find it.
    for path in sorted(before - wanted, key=len):
        below = {one for one in kept | wanted if one[: len(path)] == path}
        if not below:
            _remove(merged, path, typed)
    left = set(flat(merged, typed))
    found = {who: paths & left for who, paths in others.items()}
    found[owner] = wanted
    return merged, {who: paths for who, paths in found.items() if paths}


def updated(before: Object, after: Object, owned: Owned, owner: Owner, typed: Typed) -> Owned:
    """Who owns what after somebody wrote an object as a whole: what they changed is theirs."""
    was, is_ = flat(before, typed), flat(after, typed)
    theirs = {path for path in is_ if path not in was or was[path] != is_[path]}
    found = {who: (paths & set(is_)) - theirs for who, paths in owned.items()}
    found[owner] = found.get(owner, set()) | theirs
    return {who: paths for who, paths in found.items() if paths}


def flat(value: Object, typed: Typed) -> dict[Path, Any]:
    """Each thing that can be owned → its value."""
    found: dict[Path, Any] = {}
    for key, item in value.items():
        if (key,) in _SERVERS:
            continue
        if key == "metadata":
            item = {k: v for k, v in item.items() if ("metadata", k) not in _SERVERS}
            if not item:
                continue
        _flatten(item, typed.child(key), (f"f:{key}",), found)
    return found


def _flatten(value: Any, typed: Typed, path: Path, found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value and not typed.is_atomic:
        for key, item in value.items():
            _flatten(item, typed.child(key), (*path, f"f:{key}"), found)
    elif isinstance(value, list) and value and typed.keys is not None:
        for item in value:
            place = (*path, element(item, typed))
            found[place] = None
            if isinstance(item, dict):
                for key, inner in item.items():
                    _flatten(inner, typed.item().child(key), (*place, f"f:{key}"), found)
    else:
        found[path] = value


def element(item: Any, typed: Typed) -> str:
    if typed.keys and isinstance(item, dict):
        return f"k:{json.dumps(key_of(item, typed.keys), separators=(',', ':'))}"
    return f"v:{json.dumps(item)}"


def _merged(live: Any, config: Any, typed: Typed) -> Any:
    if isinstance(live, dict) and isinstance(config, dict) and not typed.is_atomic:
        found = dict(live)
        for key, value in config.items():
            found[key] = _merged(live.get(key), value, typed.child(key))
        return found
    if isinstance(live, list) and isinstance(config, list) and typed.keys is not None:
        items = {element(item, typed): item for item in live}
        for item in config:
            place = element(item, typed)
            items[place] = _merged(items.get(place), item, typed.item())
        return list(items.values())
    return copy.deepcopy(config)


def _remove(within: Any, path: Path, typed: Typed) -> None:
    """Take what is at a path out of an object, if it is there."""
    first, *rest = path
    if first.startswith("f:"):
        key = first[2:]
        if not isinstance(within, dict) or key not in within:
            return
        if rest:
            _remove(within[key], tuple(rest), typed.child(key))
            if key in _LEFT_OUT_EMPTY and within[key] == {}:
                del within[key]
        else:
            del within[key]
        return
    if not isinstance(within, list):
        return
    for item in list(within):
        if element(item, typed) == first:
            if rest:
                _remove(item, tuple(rest), typed.item())
            else:
                within.remove(item)


def written(owned: Owned, times: dict[Owner, str]) -> list[Object]:
    """As `metadata.managedFields` has it."""
    found: list[Object] = []
    for who, paths in owned.items():
        entry: Object = {
            "manager": who.manager,
            "operation": who.operation,
            "apiVersion": who.api_version,
            "time": times[who],
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
        }
        found.append(entry | ({"subresource": who.subresource} if who.subresource else {}))
    return found


def read(entries: list[Object]) -> tuple[Owned, dict[Owner, str]]:
    owned: Owned = {}
    times: dict[Owner, str] = {}
    for one in entries:
        who = Owner(one["manager"], one["operation"], one["apiVersion"], one.get("subresource", ""))
        owned[who] = _paths(one["fieldsV1"], ())
        times[who] = one["time"]
    return owned, times


def _tree(paths: set[Path]) -> Object:
    root: Object = {}
    for path in sorted(paths):
        node = root
        for part in path:
            node = node.setdefault(part, {})
    for path in paths:
        node = root
        for part in path:
            node = node[part]
        if node:
            node["."] = {}
    return root


def _paths(node: Object, path: Path) -> set[Path]:
    if not node:
        return {path}
    found: set[Path] = set()
    for part, inner in node.items():
        found |= {path} if part == "." else _paths(inner, (*path, part))
    return found


def pretty(path: Path) -> str:
    """`.spec.containers[name="web"].image`, as the API server writes it."""
    text = ""
    for part in path:
        kind, _, value = part.partition(":")
        if kind == "f":
            text += f".{value}"
        elif kind == "k":
            pairs = json.loads(value).items()
            text += "[" + ",".join(f"{key}={json.dumps(item)}" for key, item in pairs) + "]"
        else:
            text += f"[={value}]"
    return text
