"""A compose file while it becomes a form: what was read, what is made, what is said of it."""

from enum import StrEnum
from typing import Any, cast

import msgspec
import yaml

from windlass.charts.compose import values
from windlass.charts.documents import Document, Path
from windlass.charts.documents.nodes import child
from windlass.charts.documents.problems import dotted

Data = dict[str, Any]


class Verdict(StrEnum):
    """How much of a line is in the form."""

    exact = "exact"
    adapted = "adapted"
    impossible = "impossible"


class Note(msgspec.Struct, frozen=True):
    """What became of one line of the compose file."""

    path: str
    line: int
    verdict: Verdict
    message: str
    hint: str = ""


class Project:
    """The whole file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data = cast(Data, document.data)
        self.form: Data = {"workloads": [], "resources": []}
        self.notes: list[Note] = []
        self.names: dict[str, str] = {}
        """The names of services here and in Kubernetes."""
        self.volumes: dict[str, list[str]] = {}
        """Which services mount a named volume."""

    def note(self, path: Path, verdict: Verdict, message: str, hint: str = "") -> None:
        line = self.document.where(path).line
        self.notes.append(Note(dotted(path), line, verdict, message, hint))

    def raw(self, path: Path) -> str | None:
        """A scalar as it is written: a compose file takes `yes` for text, Kubernetes for a flag."""
        node: yaml.Node = self.document.node
        for part in path:
            found = child(node, part)
            if found is None:
                return None
            node = found[1]
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def table(self, key: str) -> Data:
        """A mapping at the top."""
        found = self.data.get(key)
        return {str(name): one for name, one in found.items()} if isinstance(found, dict) else {}

    def resource(self, type: str, name: str) -> Data:
        """The resource of that type and name; made when it is not there."""
        for one in self.form["resources"]:
            if one["type"] == type and one["name"] == name:
                return one
        made: Data = {"type": type, "name": name}
        self.form["resources"].append(made)
        return made


class Service:
    """One service and the workload that it becomes."""

    def __init__(self, project: Project, name: str, data: Data) -> None:
        self.project = project
        self.name = name
        self.data = data
        self.path: Path = ("services", name)
        self.container: Data = {"image": ""}
        self.pod: Data = {}
        self.workload: Data = {
            "name": project.names[name],
            "type": "Deployment",
            "containers": [self.container],
            "pod": self.pod,
        }
        self._said: set[str] = set()

    def has_said(self, key: str) -> bool:
        return key in self._said

    def exact(self, key: str, message: str, *more: str | int) -> None:
        self._note(Verdict.exact, key, message, "", more)

    def adapted(self, key: str, message: str, hint: str = "", *more: str | int) -> None:
        self._note(Verdict.adapted, key, message, hint, more)

    def impossible(self, key: str, message: str, hint: str = "", *more: str | int) -> None:
        self._note(Verdict.impossible, key, message, hint, more)

    def _note(
        self, verdict: Verdict, key: str, message: str, hint: str, more: tuple[str | int, ...]
    ) -> None:
        self._said.add(key)
        self.project.note((*self.path, key, *more), verdict, message, hint)

    def security(self) -> Data:
        return cast(Data, self.container.setdefault("securityContext", {}))

    def mount(
        self, volume: Data, path: str, *, read_only: bool = False, sub_path: str = ""
    ) -> None:
        """A volume of the pod at a path of the container; the same volume is named once."""
        volumes = cast(list[Data], self.pod.setdefault("volumes", []))
        if volume not in volumes:
            volumes.append(volume)
        self.mount_named(volume["name"], path, read_only=read_only, sub_path=sub_path)

    def mount_named(
        self, name: str, path: str, *, read_only: bool = False, sub_path: str = ""
    ) -> None:
        mount: Data = {"name": name, "mountPath": path}
        if read_only:
            mount["readOnly"] = True
        if sub_path:
            mount["subPath"] = sub_path
        self.container.setdefault("volumeMounts", []).append(mount)


def text_of(project: Project, value: object, path: Path) -> str:
    """A value as the compose file means it, with its variables filled in."""
    if isinstance(value, str):
        return value
    raw = project.raw(path)
    return values.Filled(raw if raw is not None else "" if value is None else str(value)).text
