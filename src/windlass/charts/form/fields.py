"""The form as pages draw it, made from its structs: for each part its fields with their kind,
their help and what is allowed, in sections, the most used first.
"""

import itertools
import re
from functools import lru_cache
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from windlass.charts.describe import brief, describe
from windlass.charts.documents import Path
from windlass.charts.form import layout
from windlass.charts.form.reference import IDS, meanings
from windlass.charts.model import API_VERSIONS, Application
from windlass.charts.model.containers import Container
from windlass.charts.model.pods import PodOptions
from windlass.charts.model.workloads import (
    CronJobOptions,
    DaemonSetOptions,
    DeploymentOptions,
    JobOptions,
    ReplicaSetOptions,
    StatefulSetOptions,
    Workload,
)

Struct = type[msgspec.Struct]
# Where Kubernetes describes what a struct holds: (apiVersion, kind, path).
_SEEDS: dict[Struct, tuple[str, str, Path]] = {
    Container: ("v1", "Pod", ("spec", "containers")),
    PodOptions: ("v1", "Pod", ("spec",)),
    DeploymentOptions: ("apps/v1", "Deployment", ("spec",)),
    ReplicaSetOptions: ("apps/v1", "ReplicaSet", ("spec",)),
    StatefulSetOptions: ("apps/v1", "StatefulSet", ("spec",)),
    DaemonSetOptions: ("apps/v1", "DaemonSet", ("spec",)),
    JobOptions: ("batch/v1", "Job", ("spec",)),
    CronJobOptions: ("batch/v1", "CronJob", ("spec",)),
    Workload: ("apps/v1", "Deployment", ("spec",)),
}
# What pages show otherwise: as lists, as tabs, as the type that was chosen.
_HIDDEN = {"Application": {"workloads", "resources"}, "Workload": {"id", "type"}}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NAMES = {
    "Cpu": "CPU", "cpu": "CPU", "Ip": "IP", "ip": "IP", "Dns": "DNS", "dns": "DNS", "Tls": "TLS",
    "Http": "HTTP", "Tcp": "TCP", "Url": "URL", "Grpc": "gRPC", "grpc": "gRPC", "Id": "ID",
    "tls": "TLS", "http": "HTTP", "tcp": "TCP", "tty": "TTY", "Fs": "FS", "fs": "FS",
}  # fmt: skip


class Field(msgspec.Struct, omit_defaults=True, rename="camel"):
    """One field of a part of the form."""

    name: str
    label: str
    kind: str
    """text, amount, number, intOrText, flag, choice, texts (names to texts), amounts (names to
    amounts), lines (texts), numbers, part, parts or anything (YAML).
    """
    help: str = ""
    required: bool = False
    default: str | int | bool | None = None
    options: list[str] = []
    least: int | None = None
    most: int | None = None
    of: str = ""
    """The part behind `part` and `parts`."""
    only: list[str] = []
    """The types of workload that have it; none: all."""
    suggestions: list[str] = []


class Section(msgspec.Struct, omit_defaults=True):
    """Fields that are shown together."""

    title: str
    fields: list[Field]
    open: bool = False


class Part(msgspec.Struct):
    """One struct of the form."""

    title: str
    about: str
    sections: list[Section]


class Model(msgspec.Struct, rename="camel"):
    """All of it: parts by name, types of workloads and of resources, the most used first."""

    parts: dict[str, Part]
    workload_types: list[str]
    resource_types: list[str]


@lru_cache(1)
def model() -> Model:
    """The whole form. It is the same for everybody and for ever."""
    parts: dict[str, Part] = {}
    waiting: list[tuple[Struct, tuple[str, str, Path] | None]] = [(Application, None)]
    waiting += [(Workload, _SEEDS[Workload])]
    resources = _resources()
    waiting += [(one, (API_VERSIONS.get(name, ""), name, ())) for name, one in resources.items()]
    while waiting:
        struct, seed = waiting.pop(0)
        if struct.__name__ not in parts:
            parts[struct.__name__], inner = _part(struct, _SEEDS.get(struct, seed))
            waiting += inner
    types = [*layout.RESOURCES, *(one for one in resources if one not in layout.RESOURCES)]
    return Model(parts, list(layout.WORKLOADS), types)


def _resources() -> dict[str, Struct]:
    of = next(one for one in msgspec.structs.fields(Application) if one.name == "resources")
    info = cast(inspect.ListType, inspect.type_info(of.type)).item_type
    structs = [cast(inspect.StructType, one).cls for one in cast(inspect.UnionType, info).types]
    return {one.__name__: one for one in structs}


def _part(
    struct: Struct, seed: tuple[str, str, Path] | None
) -> tuple[Part, list[tuple[Struct, tuple[str, str, Path] | None]]]:
    said, hints = meanings(struct), get_type_hints(struct)
    fields: dict[str, Field] = {}
    inner: list[tuple[Struct, tuple[str, str, Path] | None]] = []
    for one in infos(struct):
        if one.encode_name in _HIDDEN.get(struct.__name__, {"id"}):
            continue
        deeper = None if seed is None else (*seed[:2], (*seed[2], one.encode_name))
        made, parts = _field(one, one.type)
        if made.kind == "choice":
            made.options = [str(word) for word in _words(hints[one.name])]
        made.label = layout.LABELS.get(one.encode_name, made.label)
        made.help = said.get(one.name) or (brief(_described(deeper)) if deeper else "")
        made.only = list(layout.ONLY.get(struct.__name__, {}).get(one.encode_name, ()))
        fields[one.encode_name] = made
        inner += [(part, deeper) for part in parts]
    about = " ".join((struct.__doc__ or "").split())
    sections = [
        Section(title, [fields[name] for name in names], is_open)
        for title, names, is_open in layout.sections(
            struct.__name__, list(fields), [name for name, one in fields.items() if one.required]
        )
    ]
    return Part(label(struct.__name__), IDS.sub("", about), sections), inner


def _words(hint: object) -> list[object]:
    """The words of a choice in the order in which they were declared."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [word for one in get_args(hint) for word in _words(one)]


def _described(seed: tuple[str, str, Path]) -> str:
    found = describe(*seed)
    return found.description if found else ""


def label(name: str) -> str:
    """`imagePullPolicy` → `Image pull policy`."""
    first, *rest = _WORD.sub(" ", name).split()
    words = [_NAMES.get(one) or (one if one.isupper() else one.lower()) for one in rest]
    return " ".join([_NAMES.get(first, first[:1].upper() + first[1:]), *words])


def _field(one: inspect.Field, type: inspect.Type) -> tuple[Field, list[Struct]]:
    kind, more, parts = _kind(type)
    default = one.default if isinstance(one.default, str | int | bool) else None
    suggestions = layout.SUGGESTIONS.get(one.encode_name, [])
    field = Field(one.encode_name, label(one.encode_name), kind, required=one.required, **more)
    field.default = None if default == "" else default
    field.suggestions = list(suggestions)
    return field, parts


def _kind(type: inspect.Type) -> tuple[str, dict[str, Any], list[Struct]]:
    """(kind, what is known of it, the parts in it)."""
    match type:
        case inspect.UnionType(types=types):
            return _of_several([one for one in types if not isinstance(one, inspect.NoneType)])
        case inspect.LiteralType(values=values):
            return "choice", {"options": list(values)}, []
        case inspect.StrType():
            return "text", {}, []
        case inspect.BoolType():
            return "flag", {}, []
        case inspect.IntType(ge=least, le=most):
            return "number", {"least": least, "most": most}, []
        case inspect.StructType(cls=cls):
            return "part", {"of": cls.__name__}, [cls]
        case inspect.ListType(item_type=item):
            return _list(item)
        case inspect.DictType(value_type=value):
            kind, _, _ = _kind(value)
            return {"text": "texts", "amount": "amounts"}.get(kind, "anything"), {}, []
        case _:
            return "anything", {}, []


def _list(item: inspect.Type) -> tuple[str, dict[str, Any], list[Struct]]:
    kind, more, parts = _kind(item)
    if kind == "choice":
        return "lines", more, []
    many = {"text": "lines", "number": "numbers", "part": "parts"}.get(kind, "anything")
    return many, {"of": more["of"]} if many == "parts" else {}, parts


def _of_several(types: list[inspect.Type]) -> tuple[str, dict[str, Any], list[Struct]]:
    if len(types) == 1:
        return _kind(types[0])
    names = {type(one) for one in types}
    if names <= {inspect.IntType, inspect.StrType, inspect.FloatType}:
        return ("amount" if inspect.FloatType in names else "intOrText"), {}, []
    # A port may be written as a number and variables as a mapping: fields show the long way.
    for one in types:
        if isinstance(one, inspect.ListType | inspect.StructType) and inspect.StrType not in names:
            return _kind(one)
    return "anything", {}, []


def infos(struct: Struct) -> tuple[inspect.Field, ...]:
    """The fields of a struct with their types."""
    return cast(inspect.StructType, inspect.type_info(struct)).fields


def structs() -> list[Struct]:
    """Every struct that the form is made of."""
    found: dict[str, Struct] = {}
    waiting: list[Struct] = [Application, Workload, *_resources().values()]
    while waiting:
        struct = waiting.pop()
        if struct.__name__ not in found:
            found[struct.__name__] = struct
            waiting += [part for one in infos(struct) for part in _kind(one.type)[2]]
    return list(found.values())


def every(part: Part) -> list[Field]:
    """All fields of a part."""
    return list(itertools.chain.from_iterable(one.fields for one in part.sections))
