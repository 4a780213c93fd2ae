"""Which schema an object has: Kubernetes 1.30 and newer, Gateway API, cert-manager, Traefik and the
rate limits of Envoy Gateway from the pack in `data/`; others from CustomResourceDefinitions or from
a cluster's `/openapi/v3`. Everything is read and compiled when it is first asked for.
"""

import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import resources
from typing import cast

import msgspec

from windlass.charts import openapi
from windlass.charts.limits import limited
from windlass.charts.validate import (
    SIMPLE,
    Check,
    Node,
    Wrong,
    fields,
    items,
    mapping,
    one_of,
)


class Packed(msgspec.Struct, frozen=True):
    """The pack: forms of each definition, and which form (or -1) each version has."""

    versions: list[str]
    forms: list[list[object]]
    at: list[list[int]]
    kinds: dict[str, int]


class UnknownVersion(ValueError):
    """There are no schemas of this Kubernetes version."""


class UnreadableSchema(ValueError):
    """A schema that was given is none."""


@lru_cache(1)
def packed() -> Packed:
    return msgspec.json.decode(zlib.decompress(_file("schemas.zlib")), type=Packed)


def _file(name: str) -> bytes:
    return (resources.files("windlass.charts") / "data" / name).read_bytes()


def versions() -> list[str]:
    """The Kubernetes versions that can be checked against, oldest first."""
    return packed().versions


def newest() -> str:
    return versions()[-1]


@lru_cache(8)
def of(version: str) -> "Schemas":
    """The schemas of a version such as 1.33. Raises UnknownVersion."""
    short_version = ".".join(version.removeprefix("v").split(".")[:2])
    if short_version not in versions():
        known = versions()
        raise UnknownVersion(
            f"There are no schemas of Kubernetes {version}. Give a version from {known[0]} to "
            f"{known[-1]}."
        )
    return Schemas(versions().index(short_version))


class Schemas:
    """The kinds of one Kubernetes version, and those that were added."""

    def __init__(self, column: int, added: dict[str, Check] | None = None) -> None:
        self._column = column
        self._compiled: dict[int, Check] = {}
        self._added = added or {}

    @property
    def version(self) -> str:
        return packed().versions[self._column]

    def find(self, api_version: str, kind: str) -> Check | None:
        """The check for a kind, or None when this version has no such kind."""
        name = f"{api_version}/{kind}"
        if name in self._added:
            return self._added[name]
        number = packed().kinds.get(name)
        if number is None or packed().at[number][self._column] < 0:
            return None
        return self._definition(number)

    def knows_group(self, group: str) -> bool:
        """Whether the group is one whose kinds are all known, so that another kind is a mistake."""
        return group in _groups() or any(_group(name) == group for name in self._added)

    def versions_of(self, group: str, kind: str) -> list[str]:
        """The apiVersions under which this version of Kubernetes serves a kind."""
        pack = packed()
        names = [name for name, n in pack.kinds.items() if pack.at[n][self._column] >= 0]
        found = [
            name.rpartition("/")[0] for name in (*names, *self._added) if name.endswith(f"/{kind}")
        ]
        return [api for api in found if _group(f"{api}/{kind}") == group] if group else found

    def kinds_of(self, group: str) -> list[str]:
        """The kinds of a group, in any version of it."""
        names = {*packed().kinds, *self._added}
        return sorted({name.rpartition("/")[2] for name in names if _group(name) == group})

    def with_added(self, more: dict[str, Check]) -> "Schemas":
        made = Schemas(self._column, {**self._added, **more})
        made._compiled = self._compiled
        return made

    def _definition(self, number: int) -> Check:
        found = self._compiled.get(number)
        if found is not None:
            return found
        pack = packed()
        form = pack.at[number][self._column]
        if form < 0:
            # A type that this version does not have is referred to by none that it has.
            form = 0
        node = pack.forms[number][form]
        # Types refer to themselves: until one is ready, a call goes by its number.
        self._compiled[number] = lambda value: self._compiled[number](value)
        made = short(node, self._definition)
        self._compiled[number] = made
        return made


def short(node: Node, definition: Callable[[int], Check]) -> Check:
    """A check from a node of the pack; `definition` gives that of a number."""
    match node:
        case str():
            return SIMPLE[node]
        case int():
            return definition(node)
        case ["a", inner]:
            return items(short(inner, definition))
        case ["m", inner]:
            return mapping(short(inner, definition))
        case ["e", list(words)]:
            return one_of(cast(list[object], words))
        case ["x", inner, dict(limits)]:
            return limited(short(inner, definition), cast(dict[str, object], limits))
        case {"p": dict(inner), **rest}:
            named_checks = {
                name: short(each, definition) for name, each in cast(dict[str, Node], inner).items()
            }
            return fields(named_checks, cast(list[str], rest.get("r", [])))
        case _:
            raise ValueError(f"no node of a schema: {node!r}")


def _group(name: str) -> str:
    parts = name.split("/")
    return parts[0] if len(parts) == 3 else ""


@lru_cache(1)
def _groups() -> frozenset[str]:
    return frozenset(_group(name) for name in packed().kinds)


def from_definitions(documents: Iterable[object]) -> dict[str, Check]:
    """Checks for the kinds that CustomResourceDefinitions among these documents define."""
    found: dict[str, Check] = {}
    for document in documents:
        found.update(openapi.of_definition(document))
    return found


def from_openapi(text: str | bytes) -> dict[str, Check]:
    """Checks for the kinds of a cluster's `/openapi/v3/…` document. Raises UnreadableSchema."""
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UnreadableSchema(f"This is no OpenAPI document: {error}") from error
    components = whole.get("components") if isinstance(whole, dict) else None
    named = (
        cast(dict[str, object], components).get("schemas") if isinstance(components, dict) else None
    )
    if not isinstance(named, dict):
        raise UnreadableSchema(
            "This OpenAPI document has no components.schemas: give the text of "
            "/openapi/v3/apis/GROUP/VERSION."
        )
    return openapi.of_components(cast(dict[str, object], named))


@lru_cache(1)
def descriptions() -> dict[str, dict[str, str]]:
    """What the newest Kubernetes says about each type ("") and each of its fields."""
    return msgspec.json.decode(
        zlib.decompress(_file("descriptions.zlib")), type=dict[str, dict[str, str]]
    )


def violations(check: Check, data: object) -> list[Wrong]:
    """Everything that is wrong with an object, in the order of the document."""
    return check(data) or []


Lookup = Callable[[str, str], Check | None]
