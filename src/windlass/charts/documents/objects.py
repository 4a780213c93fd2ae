"""Documents → Kubernetes objects: what has a kind and a name, those of a `kind: List` taken out."""

from typing import cast

import msgspec

from windlass.charts.documents.problems import Path, Place, Problem
from windlass.charts.documents.read import Document, Reading


class Resource:
    """One Kubernetes object and where it stands."""

    __slots__ = ("api_version", "data", "document", "kind", "name", "namespace", "path")

    def __init__(self, document: Document, path: Path, data: dict[str, object]) -> None:
        self.document = document
        self.path = path
        self.data = data
        metadata = data.get("metadata")
        about = cast(dict[str, object], metadata) if isinstance(metadata, dict) else {}
        self.api_version = _text(data.get("apiVersion"))
        self.kind = _text(data.get("kind"))
        self.name = _text(about.get("name")) or _text(about.get("generateName"))
        self.namespace = _text(about.get("namespace"))

    def where(self, path: Path = ()) -> Place:
        """The key or list item at a path from this object's top."""
        return self.document.where(self.path + path)

    def span(self, path: Path = ()) -> Place:
        """The value at a path from this object's top."""
        return self.document.span(self.path + path)

    def written(self, path: Path) -> str | None:
        """The text of the single value at a path, before anybody said what it means."""
        return self.document.written(self.path + path)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}>"


class Listed(msgspec.Struct, frozen=True):
    """The objects of a text, and everything that is wrong with it so far."""

    resources: list[Resource]
    problems: list[Problem]


def resources(reading: Reading) -> Listed:
    """The objects in what was read. The problems of the reading come first."""
    found = Listed([], list(reading.problems))
    for document in reading.documents:
        _take(document, (), document.data, found)
    return found


def _take(document: Document, path: Path, data: object, found: Listed) -> None:
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        found.problems.append(
            _problem(
                document,
                path,
                "not-an-object",
                f"{what} stands where an object must be",
                "An object has apiVersion, kind and metadata",
            )
        )
        return
    table = cast(dict[str, object], data)
    if _is_list(table):
        for index, item in enumerate(cast(list[object], table["items"])):
            _take(document, (*path, "items", index), item, found)
        return
    resource = Resource(document, path, table)
    problems = _missing(resource)
    found.problems.extend(problems)
    if not problems:
        found.resources.append(resource)


def _is_list(data: dict[str, object]) -> bool:
    kind = data.get("kind")
    return (
        isinstance(kind, str)
        and kind.endswith("List")
        and isinstance(data.get("items"), list)
        and "spec" not in data
    )


def _missing(resource: Resource) -> list[Problem]:
    document, path = resource.document, resource.path
    problems: list[Problem] = []
    if not resource.api_version:
        problems.append(
            _problem(
                document,
                (*path, "apiVersion"),
                "api-version",
                "`apiVersion` is missing or no text",
                "Write for example `apiVersion: apps/v1`",
            )
        )
    if not resource.kind:
        problems.append(
            _problem(
                document,
                (*path, "kind"),
                "kind",
                "`kind` is missing or no text",
                "Write for example `kind: Deployment`",
            )
        )
    if not resource.name:
        problems.append(
            _problem(
                document,
                (*path, "metadata", "name"),
                "name",
                "`metadata.name` is missing or no text",
                "Give it a name; quote it if it looks like a number or a boolean",
            )
        )
    return problems


def _problem(document: Document, path: Path, code: str, message: str, hint: str) -> Problem:
    place = document.where(path)
    return Problem(
        code=code,
        message=message,
        hint=hint,
        line=place.line,
        column=place.column,
        document=document.index,
        file=document.file,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
