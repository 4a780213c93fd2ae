"""Fields that may hold anything are edited as YAML: in data of a form such a text counts as what it
says, and what stands there is shown as such a text.
"""

from collections.abc import Callable
from typing import cast

from windlass.charts.documents import Path, Unreadable, dump, load
from windlass.charts.form.fields import Field, Part, every, model
from windlass.charts.form.flaws import Flaw

Data = dict[str, object]
Change = Callable[[object, Path], object]


def opened(data: Data) -> tuple[Data, list[Flaw]]:
    """The data with every such text read, and the texts that cannot be."""
    flaws: list[Flaw] = []

    def read(value: object, path: Path) -> object:
        if not isinstance(value, str):
            return value
        try:
            documents = load(value)
        except Unreadable as error:
            first = error.problems[0]
            message = f"line {first.line}: {first.message}"
            flaws.append(Flaw(path, first.code, message, first.hint))
            return None
        return documents[0].data if documents else None

    return _form(data, read), flaws


def shown(data: Data) -> Data:
    """The data with every such value as a text."""
    return _form(data, lambda value, _: value if isinstance(value, str) else _text(value))


def _text(value: object) -> str:
    return dump(value) if value is not None else ""


def _form(data: Data, change: Change) -> Data:
    parts = model().parts
    made = _part(data, parts["Application"], (), change)
    for name, of in (("workloads", _workload), ("resources", _resource)):
        found = data.get(name)
        if isinstance(found, list):
            made[name] = [
                _part(cast(Data, one), of(cast(Data, one)), (name, index), change)
                if isinstance(one, dict)
                else one
                for index, one in enumerate(cast(list[object], found))
            ]
    return made


def _workload(_: Data) -> Part | None:
    return model().parts["Workload"]


def _resource(data: Data) -> Part | None:
    return model().parts.get(str(data.get("type")))


def _part(data: Data, part: Part | None, path: Path, change: Change) -> Data:
    known = {one.name: one for one in every(part)} if part else {}
    made: Data = {}
    for key, value in data.items():
        found = _value(value, known.get(key), (*path, key), change)
        # An emptied text is a field that is left out.
        if found is not None or value is None:
            made[key] = found
    return made


def _value(value: object, field: Field | None, path: Path, change: Change) -> object:
    if field is None:
        return value
    if field.kind == "anything":
        return change(value, path)
    inner = model().parts.get(field.of)
    if field.kind == "part" and isinstance(value, dict):
        return _part(cast(Data, value), inner, path, change)
    if field.kind == "parts" and isinstance(value, list):
        return [
            _part(cast(Data, one), inner, (*path, index), change) if isinstance(one, dict) else one
            for index, one in enumerate(cast(list[object], value))
        ]
    return value
