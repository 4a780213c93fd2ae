"""The OpenAPI document, made of the handlers' own types: what is checked is what is described.

It is made when somebody asks, once: most processes never need it.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.routes import HTTPRoute

import windlass
from windlass.core import intake
from windlass.core import openapi_parts as parts
from windlass.core.http import Request
from windlass.core.openapi_examples import Examples, Words
from windlass.core.schemas import Page
from windlass.core.threads import blocking

PATH = "/api/openapi.json"
Document = dict[str, Any]
_REF = "#/components/schemas/{name}"
_IN_PATH = re.compile(r"\{(\w+)\}")


@get(PATH, public=True, include_in_schema=False)
async def serve(request: Request) -> Response[bytes]:
    """The OpenAPI document of this server."""
    state = request.app.state
    if state.get("openapi") is None:
        # A tenth of a second or more, which others shall not wait for.
        made = await blocking(document, request.app)
        state["openapi"] = msgspec.json.encode(made)
    return Response(state["openapi"], media_type="application/json")


class _Operation(msgspec.Struct, frozen=True):
    path: str
    method: str
    handler: HTTPRouteHandler

    @property
    def hints(self) -> dict[str, Any]:
        return get_type_hints(inspect.unwrap(self.handler.fn), include_extras=True)

    @property
    def gives(self) -> Any:
        """What stands in `data`, or a kind of response that has no envelope."""
        given = self.hints["return"]
        if get_origin(given) is Response:
            given = get_args(given)[0]
        return list[get_args(given)[0]] if get_origin(given) is Page else given

    @property
    def is_list(self) -> bool:
        return get_origin(self.hints["return"]) is Page

    def query(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, type and default of each query parameter."""
        return intake.parameters(self.handler)


def document(app: Litestar) -> Document:
    """Every route of the API with its envelope, its errors and the right that it asks for."""
    found = sorted(operations(app), key=lambda each: (each.path, each.method))
    types = [kind for each in found for kind in _types(each)]
    shown, components = msgspec.json.schema_components(
        types, schema_hook=_anything, ref_template=_REF
    )
    components = {name: _simpler(schema) for name, schema in components.items()}
    schemas = iter(_simpler(schema) for schema in shown)
    examples = Examples(app.state.get("examples", Words()), components)
    paths: Document = {}
    for each in found:
        made = _described(each, schemas, examples)
        paths.setdefault(each.path, {})[each.method.lower()] = made
    tags = sorted({tag for each in found for tag in each.handler.tags or ()})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Windlass", "version": windlass.__version__, "description": parts.ABOUT},
        "servers": [{"url": "/"}],
        "security": parts.EITHER,
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())) | parts.SCHEMAS,
            "responses": parts.RESPONSES,
            "headers": parts.HEADERS,
            "parameters": parts.PARAMETERS,
            "securitySchemes": parts.SECURITY,
        },
    }


def operations(app: Litestar) -> Iterator[_Operation]:
    """Every handler of the API, once for each of its methods."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/api/"):
            for handler in route.route_handlers:
                is_ours = handler.fn.__module__.startswith("windlass.")
                if is_ours and handler.resolve_include_in_schema():
                    for method in handler.http_methods:
                        yield _Operation(route.path_format, str(method), handler)


def _types(each: _Operation) -> Iterator[Any]:
    """What of an operation needs a schema, in the order that `_described` takes them."""
    for _, kind, _ in each.query():
        yield kind
    if "data" in each.hints:
        yield intake.plain(each.hints["data"])
    if _has_envelope(each):
        yield each.gives


def _described(each: _Operation, schemas: Iterator[Document], examples: Examples) -> Document:
    handler = each.handler
    text = " ".join((inspect.getdoc(handler.fn) or "").split())
    made: Document = {
        "operationId": _camel(handler.handler_name),
        "summary": text.split(". ")[0].rstrip("."),
        "description": text,
        "tags": sorted(handler.tags or ()) or [_camel(each.path.split("/")[2]).capitalize()],
        "parameters": [*_path_parameters(each.path, examples)],
        "security": parts.EITHER if "permission" in handler.opt else [],
    }
    if permission := handler.opt.get("permission"):
        made["x-permission"] = str(permission)
    for name, _, default in each.query():
        made["parameters"].append(_parameter(name, next(schemas), default))
    if each.method == "POST" and permission:
        made["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    if "data" in each.hints:
        made["requestBody"] = _json_body(next(schemas), examples)
    elif limit := handler.opt.get("raw_body"):
        made["requestBody"] = parts.raw_body(limit)
    made["responses"] = _responses(each, schemas, examples)
    return made


def _path_parameters(path: str, examples: Examples) -> Iterator[Document]:
    for name in _IN_PATH.findall(path):
        schema = {"type": "string", "minLength": 1}
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema,
            "example": examples.of(schema, name),
        }


def _parameter(name: str, schema: Document, default: Any) -> Document:
    """A parameter of the query. One that may be left out is never sent as null."""
    choices = [kind for kind in schema.get("anyOf", [schema]) if kind != {"type": "null"}]
    schema = dict(choices[0] if len(choices) == 1 else schema)
    made: Document = {"name": name, "in": "query", "required": default is inspect.Parameter.empty}
    if text := schema.pop("description", None):
        made["description"] = text
    if default is not None and default is not inspect.Parameter.empty:
        schema["default"] = default
    return {**made, "schema": schema}


def _json_body(schema: Document, examples: Examples) -> Document:
    is_optional = {"type": "null"} in schema.get("anyOf", [])
    content = {"schema": schema, "example": examples.of(schema, is_body=True)}
    return {"required": not is_optional, "content": {"application/json": content}}


def _responses(each: _Operation, schemas: Iterator[Document], examples: Examples) -> Document:
    handler, given = each.handler, each.gives
    status = str(handler.status_code)
    made: Document = {}
    if _has_envelope(each):
        data = next(schemas)
        schema = parts.enveloped(data, is_list=each.is_list)
        shown = {"schema": schema, "example": _answer(data, examples, is_list=each.is_list)}
        if status == "204":
            made[status] = {"description": "Done.", "headers": parts.HEADER_REFS}
        for code in (status, *map(str, handler.opt.get("also", ()))):
            made.setdefault(code, parts.answer(code, {"application/json": shown}))
    elif given is Stream:
        kinds = handler.opt.get("streams", ["text/event-stream"])
        made[status] = parts.answer(status, {kind: parts.stream(kind) for kind in kinds})
    else:
        made[str(handler.opt["redirects"])] = parts.REDIRECT
    for code in sorted(_errors(each)):
        made.setdefault(str(code), {"$ref": f"#/components/responses/E{code}"})
    made["default"] = {"$ref": "#/components/responses/Failed"}
    return made


def _answer(data: Document, examples: Examples, *, is_list: bool) -> Document:
    meta: Document = {"timing": {"durationMs": 3.14}}
    if is_list:
        meta["pagination"] = {"hasMore": False}
    return {"ok": True, "data": examples.of(data), "meta": meta}


def _errors(each: _Operation) -> set[int]:
    """Which refusals can happen at all, by what the route takes."""
    opt = each.handler.opt
    found = {400, 429}
    if "permission" in opt:
        found |= {401, 403}
    if each.method != "GET":
        found |= {403, 409}
    if _IN_PATH.search(each.path) or any(name.endswith("Id") for name, _, _ in each.query()):
        found.add(404)
    if "data" in each.hints:
        found |= {404, 413, 415, 422}
    if opt.get("raw_body"):
        found |= {413, 422}
    if opt.get("public") and each.method != "GET":
        found |= {401, 410}
    return found | set(opt.get("refuses", ()))


def _has_envelope(each: _Operation) -> bool:
    given = each.gives
    if "redirects" in each.handler.opt:
        return False
    return not (isinstance(given, type) and issubclass(given, Stream))


def _anything(kind: Any) -> Document:
    """The schema of a type that says nothing of what is in it."""
    if kind is not object:
        raise NotImplementedError(kind)
    return {"description": "Anything."}


def _simpler(schema: Any) -> Any:
    """Without titles that repeat the name, and as JSON has it: lists, no tuples."""
    if isinstance(schema, dict):
        found: Document = schema  # pyright: ignore[reportUnknownVariableType]
        return {
            key: _simpler(value)
            for key, value in found.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(schema, list | tuple):
        return [_simpler(item) for item in schema]  # pyright: ignore[reportUnknownVariableType]
    return schema


def _camel(name: str) -> str:
    first, *rest = re.split("[_-]", name)
    return first + "".join(word.capitalize() for word in rest)
