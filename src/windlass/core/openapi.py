"""The OpenAPI document: what the framework derives from the handlers, with our envelope around it.

It is made when somebody asks: most processes never need it.
"""

import inspect
from typing import Any

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from windlass.core.http import Request

PATH = "/api/openapi.json"
Document = dict[str, Any]

_SCHEMAS: Document = {
    "Meta": {
        "type": "object",
        "required": ["timing"],
        "properties": {
            "timing": {
                "type": "object",
                "required": ["durationMs"],
                "properties": {"durationMs": {"type": "number"}},
            },
            "pagination": {
                "type": "object",
                "required": ["hasMore"],
                "description": "Of lists only; `cursor` continues them.",
                "properties": {"hasMore": {"type": "boolean"}, "cursor": {"type": "string"}},
            },
        },
    },
    "Error": {
        "type": "object",
        "required": ["ok", "error", "meta"],
        "properties": {
            "ok": {"const": False},
            "error": {
                "type": "object",
                "required": ["code", "message", "requestId"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "requestId": {"type": "string"},
                    "details": {"type": "object"},
                },
            },
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
    },
}
_SECURITY: Document = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "windlass_session"},
}
# A handler that reads the body itself says what it is with `raw_body="…"`.
_BYTES: Document = {"type": "string", "format": "binary"}
_ERROR: Document = {
    "description": "Refused or failed; `error.code` says why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


@get(PATH, public=True, include_in_schema=False)
async def serve(request: Request) -> Response[bytes]:
    """The OpenAPI document of this server."""
    return Response(msgspec.json.encode(document(request.app)), media_type="application/json")


def document(app: Litestar) -> Document:
    """Every route of the API with its envelope, its errors and the right that it asks for."""
    made: Document = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    schemas: Document = made["components"]["schemas"]
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in getattr(handler, "http_methods", ()):
                operation = made["paths"].get(route.path_format, {}).get(str(method).lower())
                if operation is not None:
                    _describe(operation, handler, schemas)
    made["components"] = {
        "schemas": {n: s for n, s in schemas.items() if not n.startswith("Page_")} | _SCHEMAS,
        "securitySchemes": _SECURITY,
    }
    return made


def _describe(operation: Document, handler: HTTPRouteHandler, schemas: Document) -> None:
    text = " ".join((inspect.getdoc(handler.fn) or "").split())
    operation["operationId"] = _camel(handler.handler_name)
    operation["summary"] = text.split(". ")[0].rstrip(".")
    operation["description"] = text
    if permission := handler.opt.get("permission"):
        operation["security"] = [{name: []} for name in _SECURITY]
        operation["x-permission"] = str(permission)
    else:
        operation["security"] = []
    if limit := handler.opt.get("raw_body"):
        operation["requestBody"] = {
            "required": True,
            "description": limit,
            "content": {"application/octet-stream": {"schema": _BYTES}},
        }
    answers: Document = operation["responses"]
    for status in [status for status in answers if status.startswith(("4", "5"))]:
        del answers[status]
    for answer in answers.values():
        if found := answer.get("content", {}).get("application/json"):
            found["schema"] = _enveloped(found["schema"], schemas)
    answers["default"] = _ERROR


def _enveloped(schema: Document, schemas: Document) -> Document:
    """`data` and what is around it; a page is a plain list there."""
    name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    if name.startswith("Page_"):
        schema = schemas[name]["properties"]["items"]
    return {
        "type": "object",
        "required": ["ok", "data", "meta"],
        "properties": {
            "ok": {"const": True},
            "data": schema,
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
