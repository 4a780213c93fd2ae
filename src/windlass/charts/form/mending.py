"""A fix of a finding, made in the form itself: the field that causes it is changed, so that the
manifests made of it are right and stay so.
"""

import copy
from typing import Any, cast

from windlass.charts import form
from windlass.charts.checks import engine
from windlass.charts.checks.engine import Finding, Options
from windlass.charts.documents import Change, Delete, Insert, Path, Rename, Set, dump, read
from windlass.charts.form import places
from windlass.charts.generate import manifests
from windlass.charts.model import Application

Data = dict[str, object]


class Unfixable(Exception):
    """The form has no field for it: the fix can only be made in the text."""


def mended(data: Data, app: Application, finding: Finding, options: Options) -> Data:
    """The form's data after the fix. Raises Unfixable when that would not make the finding go away
    or would bring a worse one.
    """
    made = manifests(app)
    if not finding.fix or finding.document >= len(made):
        raise Unfixable
    origin = places.origins(app, made)[finding.document]
    if origin.is_generated:
        raise Unfixable
    now = copy.deepcopy(data)
    for change in finding.fix:
        _make(now, made[finding.document], change, places.place(app, origin, change.path))
    changed, flaws = form.parse(now)
    if changed is None or flaws:
        raise Unfixable
    before, after = _found(app, options), _found(changed, options)
    is_new = {_key(one) for one in after} - {_key(one) for one in before}
    is_left = any(_key(one) == _key(finding) and one.path == finding.path for one in after)
    if is_new or is_left:
        raise Unfixable
    return now


def _found(app: Application, options: Options) -> list[Finding]:
    return engine.check([read(dump(*manifests(app)))], options).counted


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.kind, finding.name


def _make(data: Data, manifest: Data, change: Change, path: Path) -> None:
    if not path or (isinstance(change, Set | Rename) and isinstance(path[-1], int)):
        raise Unfixable
    holder = _holder(data, path, manifest, change)
    last = path[-1]
    match change, holder:
        case Set(value=value), dict():
            holder[last] = value
        case Insert(value=value), list():
            holder.insert(cast(int, last), value)
        case Delete(), dict() if last in holder:
            del holder[last]
        case Delete(), list() if cast(int, last) < len(holder):
            del holder[cast(int, last)]
        case Rename(to=to), dict() if last in holder:
            again = {to if key == last else key: one for key, one in holder.items()}
            holder.clear()
            holder.update(again)
        case _:
            raise Unfixable


def _holder(data: Data, path: Path, manifest: Data, change: Change) -> Any:
    """What holds the end of the path; what is missing on the way is made, lists as they are in the
    manifest.
    """
    found: Any = data
    for depth, part in enumerate(path[:-1]):
        if isinstance(found, list):
            if not isinstance(part, int) or part >= len(found):
                raise Unfixable
            found = found[part]
            continue
        if not isinstance(found, dict):
            raise Unfixable
        if found.get(part) is None:
            left = len(path) - depth - 1
            is_list = isinstance(path[depth + 1], int)
            found[part] = _at(manifest, change.path[: len(change.path) - left]) if is_list else {}
        found = found[part]
    return found


def _at(manifest: Data, path: Path) -> object:
    found: Any = manifest
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return []
    return copy.deepcopy(found)
