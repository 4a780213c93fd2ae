"""What differs between two states of an object, field by field, without what the API server writes
by itself and without anybody's secrets."""

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from windlass.charts.checks.secrets import is_secret
from windlass.charts.checks.views import Table, get, listed, table, text
from windlass.charts.documents import Path

HIDDEN = "(hidden)"
# What the API server and its controllers write.
_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
)
# By which field the API server tells the items of a list apart, the first that fits.
_KEYS = ("name", "mountPath", "devicePath", "containerPort", "port", "key", "type", "topologyKey")


class Change(msgspec.Struct, frozen=True):
    """One field: `before` or `after` is None where it is not there."""

    path: str
    before: object = None
    after: object = None


def changes(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[Change]:
    """Field by field, in the order of the paths. An object that comes or goes is one change of the
    path "" ."""
    one, other = (None if side is None else shown(side) for side in (before, after))
    if one is None or other is None:
        return [] if one is other else [Change("", one, other)]
    hidden = _secret_changes(dict(before or {}), dict(after or {}))
    return sorted([*_compared("", one, other), *hidden], key=lambda change: change.path)


def shown(manifest: Mapping[str, object]) -> Table:
    """An object without its status, what the API server writes, and values that are secret."""
    found = {key: value for key, value in manifest.items() if key != "status"}
    metadata = {
        key: value for key, value in table(found.get("metadata")).items() if key not in _SERVER
    }
    annotations = {
        key: value
        for key, value in table(metadata.pop("annotations", None)).items()
        if key not in _ANNOTATIONS
    }
    found["metadata"] = {**metadata, **({"annotations": annotations} if annotations else {})}
    if found.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if values := table(found.get(field)):
                found[field] = dict.fromkeys(values, HIDDEN)
    return cast(Table, _without_secrets(found, ""))


def secret_paths(manifest: Mapping[str, object]) -> Iterator[Path]:
    """Where values stand in an object that `shown` hides."""
    if manifest.get("kind") == "Secret":
        for field in ("data", "stringData"):
            yield from ((field, key) for key in table(manifest.get(field)))
    yield from _hidden(dict(manifest), (), "")


def _hidden(value: object, path: Path, name: str) -> Iterator[Path]:
    if isinstance(value, dict):
        found = cast(Table, value)
        pair = text(found.get("name")) if "value" in found else ""
        for key, item in found.items():
            yield from _hidden(item, (*path, key), pair if key == "value" else key)
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[object], value)):
            yield from _hidden(item, (*path, index), name)
    elif isinstance(value, str) and is_secret(name, value):
        yield path


def _without_secrets(value: object, name: str) -> object:
    if isinstance(value, dict):
        found = cast(Table, value)
        pair = text(found.get("name")) if "value" in found else ""
        return {
            key: _without_secrets(item, pair if key == "value" else key)
            for key, item in found.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item, name) for item in cast(list[object], value)]
    return HIDDEN if isinstance(value, str) and is_secret(name, value) else value


def _secret_changes(before: Table, after: Table) -> list[Change]:
    """That a hidden value is another one now, and never which."""
    paths = dict.fromkeys([*secret_paths(before), *secret_paths(after)])
    return [
        Change(_dotted(path, after), HIDDEN, f"{HIDDEN}, another value")
        for path in paths
        if None not in (was := _at(before, path), now := _at(after, path)) and was != now
    ]


def _at(value: object, path: Path) -> object:
    for part in path:
        if isinstance(part, int):
            items = listed(value)
            value = items[part] if part < len(items) else None
        else:
            value = table(value).get(part)
    return value


def _dotted(path: Path, start: object) -> str:
    found = ""
    for part in path:
        if isinstance(part, int):
            items = listed(start)
            key = _key_of(items, items)
            found += _item(key, table(items[part])) if key and part < len(items) else f"[{part}]"
            start = items[part] if part < len(items) else None
        else:
            found, start = _joined(found, part), table(start).get(part)
    return found


def _compared(path: str, before: object, after: object) -> Iterator[Change]:
    if before.__class__ is dict and after.__class__ is dict:
        one, other = table(before), table(after)
        for key in dict.fromkeys([*one, *other]):
            yield from _compared(_joined(path, key), one.get(key), other.get(key))
    elif before.__class__ is list and after.__class__ is list:
        yield from _compared_lists(path, listed(before), listed(after))
    elif before.__class__ is not after.__class__ or before != after:
        yield Change(path, before, after)


def _compared_lists(path: str, before: list[object], after: list[object]) -> Iterator[Change]:
    key = _key_of(before, after)
    if key is not None:
        one, other = ({str(table(item)[key]): item for item in side} for side in (before, after))
        for name in dict.fromkeys([*one, *other]):
            item = table(other.get(name) or one.get(name))
            yield from _compared(path + _item(key, item), one.get(name), other.get(name))
    elif len(before) == len(after) and all(item.__class__ is dict for item in (*before, *after)):
        for index, (item, now) in enumerate(zip(before, after, strict=True)):
            yield from _compared(f"{path}[{index}]", item, now)
    elif before != after:
        yield Change(path, before, after)


def _key_of(before: list[object], after: list[object]) -> str | None:
    """The field that names the items of both lists, if one does."""
    for key in _KEYS:
        if all(_is_named(side, key) for side in (before, after)):
            return key if before or after else None
    return None


def _is_named(items: list[object], key: str) -> bool:
    names = [get(table(item), key) for item in items]
    return None not in names and len({str(name) for name in names}) == len(names)


def _item(key: str, item: Table) -> str:
    return f"[{key}={item[key]}]"


def _joined(path: str, key: str) -> str:
    quoted = f'["{key}"]' if "." in key or "/" in key else key
    return f"{path}{quoted}" if quoted[0] == "[" else f"{path}.{key}" if path else key
