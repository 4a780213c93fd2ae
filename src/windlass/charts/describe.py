"""What Kubernetes says about a field: its type, its words and its description, by path.

The pack of schemas knows the structure and numbers its types, the descriptions know their names:
one finds the other by the fields that both have.
"""

import difflib
import re
from functools import lru_cache
from typing import Any

import msgspec

from windlass.charts import schemas
from windlass.charts.documents import Path

_TYPES = {
    "s": "text",
    "i": "whole number",
    "l": "whole number",
    "n": "number",
    "b": "true or false",
    "q": "quantity",
    "o": "whole number or text",
    "t": "time",
    "y": "base64",
    "*": "anything",
}
_LINK = re.compile(r"\s*(?:More info|Read more|See also|See|For more info[^:]*):?\s+https?://\S+")
_SENTENCE = re.compile(r"(?<=[a-z0-9)`'\"])\.\s+(?=[A-Z\"'`])")


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a kind."""

    name: str
    type: str
    description: str = ""
    options: list[str] = []
    fields: list[str] = []
    """What stands inside of it."""
    required: bool = False


def describe(api_version: str, kind: str, path: Path = ()) -> Described | None:
    """The field at a path, whose indexes do not count; None when there is none."""
    number = schemas.packed().kinds.get(f"{api_version}/{kind}")
    if number is None:
        return None
    node: Any = number
    said = _texts(number, api_version, kind, kind).get("", "")
    name, required, via = kind, True, kind
    for part in (one for one in path if isinstance(one, str)):
        node, number = _inner(node, number)
        if isinstance(node, list) and node[0] == "m":
            node, name, said, required, via = node[1], part, "", False, part
            continue
        if not isinstance(node, dict) or part not in node["p"]:
            return None
        said = _texts(number, api_version, kind, via).get(part, "")
        name, required, via = part, part in node.get("r", ()), part
        node = node["p"][part]
    type = _type(node)
    form, _ = _inner(node, number)
    return Described(
        name=name,
        type=type,
        description=said,
        options=[str(one) for one in form[1]] if _is(form, "e") else [],
        fields=sorted(form["p"]) if isinstance(form, dict) else [],
        required=required,
    )


def brief(text: str, most: int = 220) -> str:
    """The first sentence or two of a description, without links."""
    text = " ".join(_LINK.sub("", text).split())
    if not text:
        return ""
    made = ""
    for sentence in _SENTENCE.split(text):
        if made and len(made) + len(sentence) > most // 2:
            break
        made = f"{made} {sentence.rstrip('.')}.".strip()
    return made if len(made) <= most else made[: most - 1].rsplit(" ", 1)[0].rstrip(",;") + "…"


def _inner(node: Any, number: int) -> tuple[Any, int]:
    """The form behind numbers and lists, and the number of the type it belongs to."""
    while True:
        if isinstance(node, int):
            number = node
            forms, at = schemas.packed().forms[node], schemas.packed().at[node]
            node = forms[at[-1]] if at[-1] >= 0 else forms[0]
        elif _is(node, "a"):
            node = node[1]
        else:
            return node, number


def _is(node: Any, letter: str) -> bool:
    return isinstance(node, list) and node[0] == letter


def _type(node: Any) -> str:
    if isinstance(node, str):
        return _TYPES[node]
    if _is(node, "a"):
        return f"list of {_type(node[1])}"
    if _is(node, "m"):
        return f"mapping to {_type(node[1])}"
    if _is(node, "e"):
        return "one of these words"
    if isinstance(node, int):
        form, _ = _inner(node, node)
        return "mapping" if isinstance(form, dict) else _type(form)
    return "mapping"


@lru_cache(maxsize=500)
def _texts(number: int, api_version: str, kind: str, via: str) -> dict[str, str]:
    """The descriptions of a type, which was reached by a field or is a kind of this name."""
    form, _ = _inner(number, number)
    if not isinstance(form, dict):
        return {}
    group = api_version.rpartition("/")[0].split(".")[0] or "core"
    found = _by_fields().get(frozenset(form["p"]), ())
    if group not in _groups():
        # Another project's kind: only what every object has is described.
        found = [name for name in found if ".meta.v1." in name]
    wanted = via[:1].upper() + via[1:]

    def unlikely(name: str) -> tuple[bool, float, bool, bool]:
        own = name.rpartition(".")[2]
        likeness = difflib.SequenceMatcher(None, own, f"{wanted}{kind}").ratio()
        return own != wanted, -likeness, f".{group}." not in name, ".core.v1." not in name

    return schemas.descriptions()[min(found, key=unlikely)] if found else {}


@lru_cache(1)
def _groups() -> frozenset[str]:
    return frozenset(name.split(".")[-3] for name in schemas.descriptions() if "." in name)


@lru_cache(1)
def _by_fields() -> dict[frozenset[str], list[str]]:
    found: dict[frozenset[str], list[str]] = {}
    for name, texts in schemas.descriptions().items():
        found.setdefault(frozenset(texts) - {""}, []).append(name)
    return found
