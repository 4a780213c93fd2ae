"""What comes in, looked at before a handler sees it: path, query and body, strictly, in one place.

400 is what cannot be read, 422 what can be read and is wrong. No text with a null byte or half a
surrogate pair gets further than this: PostgreSQL has no place for the one, UTF-8 none for the
other.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.utils.scope.state import ScopeState

from windlass.core import cursors
from windlass.core.errors import BadRequest, NotFound, UnsupportedMediaType, ValidationFailed
from windlass.core.http import Request
from windlass.core.schemas import field_errors

_JSON = re.compile(r'application/([\w.+-]+\+)?json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MOST_FIELDS = 100
_NOT_TEXT = "Null bytes and halves of surrogate pairs are not allowed"


class NotJson(BadRequest):
    """The body is not valid JSON."""


class TooDeep(BadRequest):
    """The body is nested too deeply."""


class BadText(BadRequest):
    """{where} holds characters that are not allowed."""


class UnknownParameter(BadRequest):
    """There is no parameter {name} here. Known are: {known}."""


def note_parameters(app: Litestar) -> None:
    """Each handler learns once which query parameters it takes, those of dependencies included."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                names = frozenset(found.field_alias for found in model.expected_query_params)
                handler.opt["query_names"] = names


async def check(request: Request) -> None:
    """The hook before every handler."""
    if any(_UNSTORABLE.search(str(value)) for value in request.path_params.values()):
        raise NotFound()
    is_api = request.scope["path"].startswith("/api/")
    if query := request.scope["query_string"]:
        _check_query(request, query, is_api=is_api)
    if is_api and "data" in request.route_handler.parsed_fn_signature.parameters:
        await _check_body(request)


def _check_query(request: Request, query: bytes, *, is_api: bool) -> None:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    for name, value in pairs:
        if _UNSTORABLE.search(name) or _UNSTORABLE.search(value):
            raise BadText(where="The address")
    opt = request.route_handler.opt
    if not is_api or opt.get("any_query"):
        return
    known: frozenset[str] = opt["query_names"]
    for name, _ in pairs:
        if name not in known:
            raise UnknownParameter(name=name[:100], known=", ".join(sorted(known)) or "none")
    if "cursor" in dict(pairs):
        opened = [(n, cursors.opened(request, v) if n == "cursor" else v) for n, v in pairs]
        request.scope["query_string"] = urlencode(opened).encode()


async def _check_body(request: Request) -> None:
    """Decode it once, strictly; what is wrong is said of all fields together (C-072)."""
    kind = request.route_handler.parsed_fn_signature.parameters["data"].annotation
    body = await request.body()
    if not body and type(None) in get_args(kind):
        return
    if not _JSON.fullmatch(request.headers.get("content-type", "application/json").strip()):
        raise UnsupportedMediaType()
    found = decoded(body)
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise ValidationFailed(fields=_wrong_fields(found, kind, error)) from error
    ScopeState.from_scope(request.scope).json = found


def decoded(body: bytes) -> object:
    """JSON that can be stored; raises NotJson, TooDeep or ValidationFailed."""
    try:
        found = msgspec.json.decode(body)
    except RecursionError as error:
        raise TooDeep() from error
    except ValueError as error:
        if b"\\ud" in body.lower():
            _refuse_unstorable(_decoded_loosely(body))
        raise NotJson() from error
    if b"\\u0000" in body:
        _refuse_unstorable(found)
    return found


def _decoded_loosely(body: bytes) -> object:
    """With halves of surrogate pairs left in, so that the field can be named."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refuse_unstorable(found: object) -> None:
    fields = [{"field": name, "message": _NOT_TEXT} for name in _unstorable(found, "")]
    if fields:
        raise ValidationFailed(fields=fields[:_MOST_FIELDS])


def _unstorable(value: Any, name: str) -> Iterator[str]:
    """The dotted names of what holds a character that cannot be stored."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield name
    elif isinstance(value, dict):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            if _UNSTORABLE.search(str(key)):
                yield name
            clean = _UNSTORABLE.sub("", str(key))
            yield from _unstorable(inner, f"{name}.{clean}" if name else clean)
    elif isinstance(value, list):
        for place, inner in enumerate(value):  # pyright: ignore[reportUnknownArgumentType]
            yield from _unstorable(inner, f"{name}.{place}" if name else str(place))


def _wrong_fields(found: object, kind: Any, error: msgspec.ValidationError) -> list[dict[str, str]]:
    for struct in (kind, *get_args(kind)):
        is_struct = isinstance(struct, type) and issubclass(struct, msgspec.Struct)
        if is_struct and (fields := field_errors(found, struct)):
            return fields[:_MOST_FIELDS]
    return [{"field": "", "message": str(error)}]
