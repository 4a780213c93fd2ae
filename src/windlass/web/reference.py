"""The reference of the API as a page: the OpenAPI document, drawn on the server.

It is in English whatever the language of the panel is, like the messages of the API itself.
"""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from windlass.core import openapi
from windlass.core.http import Request
from windlass.core.threads import blocking
from windlass.web.page import page

TITLE = "Windlass API"
_SEARCH = "Search paths, names and descriptions"


class Fact(msgspec.Struct, frozen=True):
    """A line about an operation: what it takes or gives, in words or as an example."""

    label: str
    text: str = ""
    example: str = ""


class Operation(msgspec.Struct, frozen=True):
    id: str
    method: str
    path: str
    summary: str
    text: str
    tag: str
    facts: list[Fact]

    def holds(self, words: list[str]) -> bool:
        """Whether every word stands somewhere in what it is called and does."""
        said = f"{self.method} {self.path} {self.id} {self.tag} {self.text}".lower()
        return all(word in said for word in words)


@get("/api/docs", public=True, include_in_schema=False)
async def reference(request: Request, q: FromQuery[str] = "") -> Response[str]:
    """The reference of the API, which a browser can search without a script."""
    known = request.app.state.get("reference")
    if known is None:
        known = operations(await blocking(openapi.document, request.app))
        request.app.state["reference"] = known
    found = [each for each in known if each.holds(q.lower().split())]
    tags = list(dict.fromkeys(each.tag for each in found))
    return page(
        request,
        "reference.html",
        title=TITLE,
        search=_SEARCH,
        query=q[:200],
        count=f"{len(found)} of {len(known)} operations",
        document=openapi.PATH,
        tags=[(tag, [each for each in found if each.tag == tag]) for tag in tags],
        is_open=len(found) <= 3,
    )


def operations(document: dict[str, Any]) -> list[Operation]:
    """Of an OpenAPI document, by tag and path."""
    found = [
        _operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    return sorted(found, key=lambda each: (each.tag, each.path, each.method))


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    return Operation(
        id=described["operationId"],
        method=method,
        path=path,
        summary=described["summary"],
        text=described["description"],
        tag=described["tags"][0],
        facts=_facts(described),
    )


def _facts(described: dict[str, Any]) -> list[Fact]:
    facts = [Fact("Needs", described.get("x-permission", "nothing: it is open to everybody"))]
    for parameter in described["parameters"]:
        if parameter.get("in") == "query":
            said = parameter.get("description", "")
            facts.append(Fact(f"?{parameter['name']}", f"{_kind(parameter['schema'])} {said}"))
    if body := described.get("requestBody"):
        facts.append(Fact("Body", body.get("description", ""), _example(body)))
    for status, answer in described["responses"].items():
        if status.startswith(("2", "3")):
            facts.append(Fact(status, answer["description"], _example(answer)))
    refused = [status for status in described["responses"] if status.startswith("4")]
    return [*facts, Fact("Refusals", ", ".join(refused))]


def _kind(schema: dict[str, Any]) -> str:
    choices = schema.get("enum") or [schema.get("type", "text")]
    default = f", {schema['default']} if left out." if "default" in schema else ""
    return " or ".join(map(str, choices)) + default


def _example(part: dict[str, Any]) -> str:
    shown = part.get("content", {}).get("application/json", {}).get("example")
    if shown is None:
        return ""
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
