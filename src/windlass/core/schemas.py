"""What comes in and what goes out: camelCase outside, strict inside, all wrong fields at once."""

import base64
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from types import UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from windlass.core.errors import BadRequest
from windlass.core.languages import gettext

T = TypeVar("T")
# Query parameters of lists. More than 100 are taken as 100 (C-076, C-077).
Limit = Annotated[int, msgspec.Meta(ge=1, description="How many at the most; 100 are the most.")]
CursorText = Annotated[
    str, msgspec.Meta(max_length=1000, description="`meta.pagination.cursor` of the page before.")
]
Total = Annotated[bool, msgspec.Meta(description="Count them all, in `meta.pagination.total`.")]
_MOST_ERRORS = 100
_PLACE = re.compile(r"\[(\d+|\.\.\.)\]")
_LENGTH = re.compile(r"Expected `str` of length ([<>]=) (\d+)")


class In(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A request body. Unknown keys are refused."""


class Out(msgspec.Struct, kw_only=True, rename="camel"):
    """A part of an answer."""


class Page(msgspec.Struct, Generic[T]):
    """A slice of a list and the cursor that continues it (C-076)."""

    items: Sequence[T]
    cursor: str | None = None
    # How many there are in all, when that was asked for (E-17).
    total: int | None = None

    @property
    def has_more(self) -> bool:
        return self.cursor is not None


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page ended: the sort it was made with, the sort key's value and the id (D-29)."""

    sort: str
    value: str | int | float | None
    id: str

    def encode(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


class BadLimit(BadRequest):
    """limit must be a number from 1; more than 100 is taken as 100."""


class BadSort(BadRequest):
    """sort must be one of {allowed}, with a minus in front for the other way round."""


class BadCursor(BadRequest):
    """The cursor is not one that this list gave. Start again without it."""


def read_cursor(text: str | None, *, sort: str) -> Cursor | None:
    """Decode a cursor; one of another list, or of another order, is 400 (C-077, D-29)."""
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadCursor() from error
    if cursor.sort != sort:
        raise BadCursor()
    return cursor


def field_errors(found: object, struct: type[msgspec.Struct]) -> list[dict[str, str]]:
    """All the wrong fields of a decoded body, nested ones with dots."""
    if not isinstance(found, dict):
        return [{"field": "", "message": gettext("Expected an object")}]
    body: dict[str, Any] = found  # pyright: ignore[reportUnknownVariableType]
    hints = get_type_hints(struct, include_extras=True)
    errors: list[dict[str, str]] = []
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        if name in body:
            errors += _check(name, body[name], hints[field.name])
        elif field.required:
            errors.append({"field": name, "message": _required(name)})
    known = {field.encode_name for field in msgspec.structs.fields(struct)}
    stray = gettext("There is no such field")
    errors += [{"field": name, "message": stray} for name in body if name not in known]
    return errors


def wrong_value(name: str, text: str, kind: Any) -> list[dict[str, str]]:
    """What is wrong with a parameter that came as text, as a list of none or one."""
    return _check(name, text, kind, strict=False)


def _check(name: str, value: object, kind: Any, *, strict: bool = True) -> list[dict[str, str]]:
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        if deeper := _check_inside(name, value, kind):
            return deeper
        message, _, path = str(error).partition(" - at `$")
        dotted = _PLACE.sub(r".\1", path.rstrip("`"))
        return [{"field": name + dotted, "message": _plain(message, kind)}]
    return []


def _check_inside(name: str, value: object, kind: Any) -> list[dict[str, str]]:
    """All that is wrong in a struct, or in the items of a list, and not only the first of it."""
    for choice in _choices(kind):
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            if isinstance(value, dict):
                found = field_errors(value, choice)  # pyright: ignore[reportUnknownArgumentType]
                return [{**error, "field": f"{name}.{error['field']}"} for error in found]
        elif get_origin(choice) in {list, tuple} and isinstance(value, list):
            items: list[object] = value  # pyright: ignore[reportUnknownVariableType]
            inner = get_args(choice)[0]
            found = (_check(f"{name}.{place}", item, inner) for place, item in enumerate(items))
            return list(islice(chain.from_iterable(found), _MOST_ERRORS))
    return []


def _plain(message: str, kind: Any) -> str:
    """The library's words, or the description of the type where they would be a riddle."""
    if "matching regex" in message:
        for found in _notes(kind):
            if found.description:
                return gettext(found.description)
        return gettext("This has characters that are not allowed here")
    if found := _LENGTH.fullmatch(message):
        if found[1] == ">=":
            return gettext("Use {count} characters or more").format(count=found[2])
        return gettext("Use {count} characters at the most").format(count=found[2])
    if message.startswith("Expected") and (bounds := _bounds(kind)) is not None:
        return gettext("Use a number from {least} to {most}").format(
            least=f"{bounds[0]:.15g}", most=f"{bounds[1]:.15g}"
        )
    return message.removeprefix("Invalid ")


def _bounds(kind: Any) -> tuple[float, float] | None:
    """The least and the most of a number, where its type names both."""
    for found in _notes(kind):
        if found.ge is not None and found.le is not None:
            return found.ge, found.le
    return None


def _choices(kind: Any) -> Iterator[Any]:
    """The types that a union or an annotated type consists of, and itself."""
    yield kind
    if get_origin(kind) in {Annotated, Union, UnionType}:
        for inner in get_args(kind):
            yield from _choices(inner)


def _notes(kind: Any) -> Iterator[msgspec.Meta]:
    """What is said about these types."""
    for choice in _choices(kind):
        for found in getattr(choice, "__metadata__", ()):
            if isinstance(found, msgspec.Meta):
                yield found


def _required(name: str) -> str:
    return gettext("{field} is required").format(field=gettext(title_of(name)))


def title_of(name: str) -> str:
    """What a field is called in a sentence: `rootDirectory` → `Root directory`."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced[:1].upper() + spaced[1:]
