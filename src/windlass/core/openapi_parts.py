"""What is the same in every operation of the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from windlass.core.errors import CODES

Part = dict[str, Any]

ABOUT = """
Everything that the panel and the command line do goes through this API. Answers are an envelope:
`{ok, data, meta}`, or `{ok, error, meta}` with one of a fixed list of codes. Lists take `limit` and
`cursor`; wrong fields come all at once in `error.details.fields`. The version stands in the header
`API-Version`; as long as the API is a preview, it may change with it.

A 429 says in `Retry-After` how long to wait. A POST with an `Idempotency-Key` may be sent again
without being done twice.
""".strip()

SECURITY: Part = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "windlass_session",
        "description": "The panel's cookie. What changes something needs the panel's own Origin.",
    },
}
EITHER: list[Part] = [{name: []} for name in SECURITY]

PARAMETERS: Part = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Done once for each key; the answer is given again for a day.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }
}

_INTEGER: Part = {"type": "integer", "minimum": 0}
HEADERS: Part = {
    "X-Request-Id": {
        "description": "The same as in the error and in the log.",
        "schema": {"type": "string"},
    },
    "API-Version": {"description": "A date.", "schema": {"type": "string", "format": "date"}},
    "X-RateLimit-Limit": {"description": "Requests in the window.", "schema": _INTEGER},
    "X-RateLimit-Remaining": {"description": "What is left of them.", "schema": _INTEGER},
    "X-RateLimit-Reset": {
        "description": "When all of them are free again.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": _INTEGER},
}
HEADER_REFS: Part = {
    name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS if name != "Retry-After"
}

SCHEMAS: Part = {
    "Meta": {
        "type": "object",
        "required": ["timing"],
        "properties": {
            "timing": {
                "type": "object",
                "required": ["durationMs"],
                "properties": {"durationMs": {"type": "number", "minimum": 0}},
            },
            "rateLimit": {
                "type": "object",
                "required": ["limit", "remaining", "resetAt"],
                "properties": {
                    "limit": _INTEGER,
                    "remaining": _INTEGER,
                    "resetAt": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
    "ListMeta": {
        "allOf": [{"$ref": "#/components/schemas/Meta"}],
        "required": ["pagination"],
        "properties": {
            "pagination": {
                "type": "object",
                "required": ["hasMore"],
                "properties": {
                    "hasMore": {"type": "boolean"},
                    "cursor": {"type": "string", "description": "Continues the list."},
                    "total": {**_INTEGER, "description": "With `?total=true`, where there is one."},
                },
            }
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
                    "code": {"type": "string", "enum": list(CODES)},
                    "message": {"type": "string"},
                    "requestId": {"type": "string"},
                    "details": {
                        "type": "object",
                        "properties": {
                            "reason": {"type": "string"},
                            "fields": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["field", "message"],
                                    "properties": {
                                        "field": {"type": "string"},
                                        "message": {"type": "string"},
                                    },
                                },
                            },
                        },
                    },
                },
            },
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
    },
}
REDIRECT: Part = {
    "description": "It is somewhere else.",
    "headers": {"Location": {"schema": {"type": "string"}}, **HEADER_REFS},
}


def enveloped(data: Part, *, is_list: bool) -> Part:
    """`data` and what is around it."""
    meta = "ListMeta" if is_list else "Meta"
    return {
        "type": "object",
        "required": ["ok", "data", "meta"],
        "properties": {
            "ok": {"const": True},
            "data": data,
            "meta": {"$ref": f"#/components/schemas/{meta}"},
        },
    }


def answer(status: str, content: Part) -> Part:
    return {
        "description": HTTPStatus(int(status)).phrase,
        "headers": HEADER_REFS,
        "content": content,
    }


def stream(kind: str) -> Part:
    """What has no envelope: events, or a file."""
    return {"schema": {} if kind == "application/json" else {"type": "string"}}


def raw_body(limit: str) -> Part:
    """A handler that reads the body itself says what it is with `raw_body="…"`."""
    schema = {"type": "string", "format": "binary"}
    return {
        "required": True,
        "description": limit,
        "content": {"application/octet-stream": {"schema": schema}},
    }


def _response(status: int) -> Part:
    """Of all the codes that have this status."""
    kinds = [kind for kind in CODES.values() if kind.status == status]
    error = {
        "code": kinds[0].code,
        "message": " ".join((kinds[0].__doc__ or "").split()),
        "requestId": "req_019ab0c00000700080000000000000aa",
    }
    if status == 422:
        error["details"] = {"fields": [{"field": "name", "message": "Name is required"}]}  # type: ignore[assignment]
    shown = {"ok": False, "error": error, "meta": {"timing": {"durationMs": 1.2}}}
    headers = dict(HEADER_REFS)
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": ", ".join(kind.code for kind in kinds),
        "headers": headers,
        "content": {"application/json": {"schema": _ERROR, "example": shown}},
    }


_ERROR: Part = {"$ref": "#/components/schemas/Error"}
RESPONSES: Part = {
    f"E{status}": _response(status)
    for status in sorted({kind.status for kind in CODES.values()})
    # A route that asks another system says so.
    if status < 500 or status == 502
} | {
    "Failed": {
        "description": "What no route is safe from: 500, 502, 503 and 504, and what is not listed.",
        "headers": HEADER_REFS,
        "content": {"application/json": {"schema": _ERROR}},
    }
}
