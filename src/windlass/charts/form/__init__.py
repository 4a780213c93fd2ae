"""A form from YAML: every mistake with its place, what is wrong and what to do (K-078, K-093)."""

import difflib
import re
from collections.abc import Iterator
from typing import cast

import msgspec

from windlass.charts.documents import Document, Path, Problem, Unreadable, load
from windlass.charts.form.flaws import Flaw, flaws
from windlass.charts.model import Application, Part, Resource, Workload

Data = dict[str, object]
_AT = re.compile(r"^(.*?)(?: - at `(?:key in )?\$(.*)`)?$", re.DOTALL)
_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_UNKNOWN = re.compile(r"unknown field `(.+)`")


def read(text: str | bytes, file: str = "") -> Application:
    """The form in a YAML text. Raises Unreadable with every mistake, each at its line."""
    documents = load(text, file)
    if len(documents) != 1:
        raise Unreadable([_alone(documents, file)])
    document = documents[0]
    application, found = parse(document.data)
    if application is None or found:
        raise Unreadable([_problem(document, flaw) for flaw in found])
    return application


def parse(data: object) -> tuple[Application | None, list[Flaw]]:
    """The form in data, such as the body of a request, and every mistake in it. None: it cannot be
    understood at all.
    """
    if not isinstance(data, dict):
        return None, [Flaw((), "form", "a form must be an object", "Begin with `workloads:`")]
    table = cast(Data, data)
    if "kind" in table and "apiVersion" in table:
        hint = "Check it with `windlass charts check`, or write a form with `workloads:`"
        return None, [Flaw((), "form", "this is a manifest and no form", hint)]
    if misfits := list(_misfits(table)):
        return None, misfits
    application = msgspec.convert(table, Application)
    return application, flaws(application)


def _misfits(table: Data) -> Iterator[Flaw]:
    """What does not fit the structs: one mistake for each workload and resource, and one for the
    rest, so that not only the first one is named.
    """
    rest = {key: one for key, one in table.items() if key not in ("workloads", "resources")}
    yield from _misfit(rest, Application, ())
    for name, kind in (("workloads", Workload), ("resources", Resource)):
        found = table.get(name, [])
        if not isinstance(found, list):
            yield Flaw((name,), "type", f"`{name}` must be a list", "Begin each item with `- `")
            continue
        for index, one in enumerate(cast(list[object], found)):
            yield from _misfit(one, kind, (name, index))


def _misfit(value: object, kind: object, path: Path) -> Iterator[Flaw]:
    try:
        msgspec.convert(value, cast(type, kind))
    except msgspec.ValidationError as error:
        match = _AT.match(str(error))
        message, at = (match[1], match[2] or "") if match else (str(error), "")
        parts = [key or int(index) for key, index in _PART.findall(at) if key or index]
        unknown = _UNKNOWN.search(message)
        if unknown:
            name = unknown[1]
            yield Flaw(
                (*path, *parts, name), "unknown-field", f"there is no field `{name}`", _near(name)
            )
        else:
            yield Flaw((*path, *parts), "type", _said(message), _advice(message))


def _said(message: str) -> str:
    return message[:1].lower() + message[1:]


def _advice(message: str) -> str:
    if "Expected `str`, got `int`" in message or "Expected `str`, got `bool`" in message:
        return "Quote it: it is meant as text"
    if "Expected `str`, got `float`" in message:
        return "Quote it: it is meant as text"
    if "missing required field" in message:
        return "Add it"
    if "Invalid value" in message or "Invalid enum" in message:
        return "The reference of the form lists what is allowed"
    return "Write what is expected there"


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, _fields(), n=1)
    meant = f"Did you mean `{near[0]}`? " if near else ""
    return f"{meant}What the form lacks goes into `extra`"


def _fields() -> set[str]:
    """The names of all fields of all structs."""
    names: set[str] = set()
    waiting: list[type[msgspec.Struct]] = [Part]
    while waiting:
        struct = waiting.pop()
        waiting += struct.__subclasses__()
        names.update(one.encode_name for one in msgspec.structs.fields(struct))
    return names


def _alone(documents: list[Document], file: str) -> Problem:
    if not documents:
        message, hint, line = "there is no form in it", "Begin with `workloads:`", 1
    else:
        message = "a form is one document, and there are several"
        hint, line = "Put them into files of their own", documents[1].where(()).line
    return Problem(code="form", message=message, hint=hint, line=line, column=1, file=file)


def _problem(document: Document, flaw: Flaw) -> Problem:
    place = document.where(flaw.path)
    return Problem(
        code=flaw.code,
        message=f"{flaw.at}: {flaw.message}" if flaw.at else flaw.message,
        hint=flaw.hint,
        line=place.line,
        column=place.column,
        file=document.file,
    )
