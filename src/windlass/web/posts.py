"""What every handler of a form needs: the fields, a struct made of them, the way on or back."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.response import Redirect

from windlass.core.errors import AppError, BadRequest, ValidationFailed
from windlass.core.http import Request
from windlass.core.languages import gettext
from windlass.core.schemas import field_errors

T = TypeVar("T", bound=msgspec.Struct)
Answer = Response[Any]
Problem = dict[str, str]
Values = dict[str, str | bool]
Form = NamedDependency[Mapping[str, str]]
_MOST_FIELDS = 4000


class BrokenForm(BadRequest):
    """The form came broken or with too many fields. Go back, reload the page and try again."""


async def provide_form(request: Request) -> Mapping[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body."""
    body = await request.body()
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise BrokenForm() from error
    # PostgreSQL has no place for it, and nobody types it.
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise BrokenForm()
    return dict(pairs)


def struct(
    kind: type[T],
    given: Mapping[str, object],
    *,
    words: Mapping[str, str] | None = None,
    also: list[Problem] | None = None,
) -> T:
    """A checked struct; raises ValidationFailed with every wrong field at once.

    None stands for a field that was left empty. `words` replaces the message of a field that was
    filled in wrongly; `also` are problems that the caller found itself.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    found = {
        fields[name].encode_name: value
        for name, value in given.items()
        if value is not None or not fields[name].required
    }
    said = {fields[name].encode_name: text for name, text in (words or {}).items()}
    problems = [
        {**problem, "message": said[problem["field"]]}
        if problem["field"] in said and found.get(problem["field"]) is not None
        else problem
        for problem in field_errors(found, kind)
    ]
    if problems or also:
        raise ValidationFailed(fields=problems + (also or []))
    return msgspec.convert(found, kind)


def see(path: str, notice: str | None = None) -> Redirect:
    """Where the browser goes after a form that worked."""
    query = f"?notice={notice}" if notice else ""
    return Redirect(path + query, status_code=303)


def problem(field: str, error: AppError) -> list[Problem]:
    """An error that says no field as one that does."""
    return [{"field": field, "message": error.message}]


def differing(form: Mapping[str, str]) -> list[Problem]:
    """A new password is typed twice, so that a slip locks nobody out."""
    if form.get("password", "") == form.get("password_again", ""):
        return []
    return [{"field": "password_again", "message": gettext("The two passwords differ")}]
