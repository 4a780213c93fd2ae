"""What comes in, looked at before a handler sees it: path, query and body, strictly, in one place.

400 is what cannot be read, 422 what can be read and is wrong. No text with a null byte or half a
surrogate pair gets further than this: PostgreSQL has no place for the one, UTF-8 none for the
other.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.enums import ParamType
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.utils.scope.state import ScopeState

from windlass.core import cursors
from windlass.core.errors import BadRequest, NotFound, UnsupportedMediaType, ValidationFailed
from windlass.core.http import BadParameter, Request
from windlass.core.schemas import field_errors, wrong_value

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
            for handler in route.route_handlers:
                handler.opt["query"] = {name: kind for name, kind, _ in parameters(handler)}


def parameters(handler: HTTPRouteHandler) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and default of each query parameter of a handler of ours and of what it needs."""
    if inspect.unwrap(handler.fn).__module__.startswith("windlass."):
        yield from _parameters(handler.fn, handler.resolve_dependencies())


def _parameters(function: Any, needed: dict[str, Provide]) -> Iterator[tuple[str, Any, Any]]:
    function = inspect.unwrap(function)
    signature = inspect.signature(function)
    for name, hint in get_type_hints(function, include_extras=True).items():
        if name in needed:
            yield from _parameters(needed[name].dependency, needed)
        for meta in get_args(hint)[1:]:
            if getattr(meta, "param_type", None) is ParamType.QUERY:
                yield meta.name or name, plain(hint), signature.parameters[name].default


def plain(hint: Any) -> Any:
    """A type without what only the web framework reads."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *metas = get_args(hint)
    kept = [meta for meta in metas if isinstance(meta, msgspec.Meta)]
    return Annotated[(kind, *kept)] if kept else kind  # pyright: ignore


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
    known: dict[str, Any] = opt["query"]
    wrong: list[dict[str, str]] = []
    for name, value in pairs:
        if name not in known:
            raise UnknownParameter(name=name[:100], known=", ".join(sorted(known)) or "none")
        wrong += wrong_value(name, value, known[name])
    if wrong:
        raise BadParameter.of(wrong)
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
