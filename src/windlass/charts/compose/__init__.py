"""A compose file → a form, and for each of its lines what became of it: exact, adapted, impossible.

What Docker and Kubernetes see differently is said rather than guessed: files of the host, networks,
the order of starting. Secrets in variables go into a Secret. Nothing else is read than this text.
"""

from collections.abc import Iterator
from typing import cast

import msgspec

from windlass.charts.compose import placing, running, storing, values
from windlass.charts.compose.project import Data, Note, Project, Service, Verdict
from windlass.charts.documents import Document, Path, Problem, Unreadable, load

__all__ = ["Converted", "Note", "Verdict", "convert"]
_HANDLERS = {**running.HANDLERS, **placing.HANDLERS, **storing.HANDLERS}
# A kind of workload is chosen by the one, and a disk by the other: in this order.
_FIRST = ("image", "deploy")
_TOP = frozenset(["services", "volumes", "configs", "secrets", "networks", "name", "version"])


class Converted(msgspec.Struct, frozen=True):
    """The data of a form, and what was said of each line, in their order."""

    form: Data
    notes: list[Note]

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.notes)


def convert(text: str | bytes, file: str = "") -> Converted:
    """The form of a compose file. Raises Unreadable, at the line, when it is none."""
    documents = load(text, file)
    if len(documents) != 1 or not _is_compose(documents[0].data):
        raise Unreadable([_none(documents, file)])
    project = Project(documents[0])
    project.data = cast(Data, _filled(project, project.data, ()))
    services = {
        name: cast(Data, one) if isinstance(one, dict) else {}
        for name, one in project.table("services").items()
    }
    _named(project, list(services))
    _shared(project, services)
    for name, data in services.items():
        _service(project, name, data)
    storing.declared(project)
    _top(project)
    project.notes.sort(key=lambda one: one.line)
    if not project.form["resources"]:
        del project.form["resources"]
    return Converted(project.form, project.notes)


def _is_compose(data: object) -> bool:
    return isinstance(data, dict) and isinstance(data.get("services"), dict)


def _none(documents: list[Document], file: str) -> Problem:
    line = documents[1].where(()).line if len(documents) > 1 else 1
    return Problem(
        code="compose",
        message="this is no compose file",
        hint="It begins with `services:` and names each service below",
        line=line,
        column=1,
        file=file,
    )


def _filled(project: Project, value: object, path: Path) -> object:
    """Every text with its variables filled in; those without a value are named."""
    if isinstance(value, dict):
        table = cast(Data, value)
        return {key: _filled(project, one, (*path, key)) for key, one in table.items()}
    if isinstance(value, list):
        items = cast(list[object], value)
        return [_filled(project, one, (*path, index)) for index, one in enumerate(items)]
    if not isinstance(value, str) or "$" not in value:
        return value
    found = values.Filled(value)
    for names, message in (
        (found.defaults, "the default of {names} is used"),
        (found.missing, "{names} comes from outside: it is empty here"),
    ):
        if names:
            said = message.format(names=", ".join(dict.fromkeys(names)))
            hint = "Fill it in" if names is found.missing else ""
            project.note(path, Verdict.adapted, said, hint)
    return found.text


def _named(project: Project, services: list[str]) -> None:
    title = project.data.get("name")
    if isinstance(title, str) and title:
        project.form["namespace"] = values.name(title)
        verdict = Verdict.exact if values.name(title) == title else Verdict.adapted
        project.note(("name",), verdict, f"the namespace {values.name(title)}")
    taken: set[str] = set()
    for service in services:
        wanted = values.name(service)
        new, number = wanted, 2
        while new in taken:
            new, number = f"{wanted}-{number}", number + 1
        taken.add(new)
        project.names[service] = new
        if new != service:
            message = f"Kubernetes takes no such name: it is called {new}"
            hint = f"Programs that reach it as {service} must ask for {new}"
            project.note(("services", service), Verdict.adapted, message, hint)


def _shared(project: Project, services: dict[str, Data]) -> None:
    for name, data in services.items():
        listed = data.get("volumes")
        for one in cast(list[object], listed) if isinstance(listed, list) else []:
            source = one.get("source") if isinstance(one, dict) else str(one).split(":")[0]
            users = project.volumes.setdefault(str(source), [])
            if name not in users:
                users.append(name)


def _service(project: Project, name: str, data: Data) -> None:
    profiles = data.get("profiles")
    if profiles:
        listed = ", ".join(map(str, cast(list[object], profiles)))
        message = f"left out: it starts only with the profile {listed}"
        project.note(("services", name), Verdict.adapted, message, "Remove `profiles` to take it")
        return
    service = Service(project, name, data)
    keys = [*(key for key in _FIRST if key in data), *(key for key in data if key not in _FIRST)]
    for key in keys:
        _key(service, key, data[key])
    if _is_awaited(project, name, "service_completed_successfully"):
        service.workload["type"] = "Job"
        service.workload.pop("replicas", None)
    running.assumed(service, is_wanted=_is_awaited(project, name))
    if "image" not in data and "build" not in data:
        hint = "Fill in the name of an image"
        project.note(service.path, Verdict.impossible, "it has no image", hint)
    if not service.pod:
        del service.workload["pod"]
    project.form["workloads"].append(service.workload)


def _key(service: Service, key: str, value: object) -> None:
    if key.startswith("x-"):
        return
    if key in placing.IMPOSSIBLE:
        service.impossible(key, placing.IMPOSSIBLE[key])
    elif key in placing.NEEDLESS:
        service.adapted(key, f"not needed: {placing.NEEDLESS[key]}")
    elif key in _HANDLERS:
        _HANDLERS[key](service, value)
        if not service.has_said(key):
            service.exact(key, "as it is")
    else:
        service.impossible(key, "no compose file has such a key", "Look for a slip of the pen")


def _is_awaited(project: Project, name: str, condition: str = "") -> bool:
    """Somebody waits for it: until it has ended well, it runs once."""
    for one in _services(project):
        on = one.get("depends_on")
        if isinstance(on, list) and name in on and not condition:
            return True
        found = on.get(name) if isinstance(on, dict) else None
        if isinstance(found, dict) and condition in ("", found.get("condition")):
            return True
    return False


def _services(project: Project) -> Iterator[Data]:
    for one in project.table("services").values():
        if isinstance(one, dict):
            yield cast(Data, one)


def _top(project: Project) -> None:
    for key in project.data:
        if key in _TOP or str(key).startswith("x-"):
            continue
        message = "it is read by compose alone"
        project.note((key,), Verdict.impossible, message, "Add by hand what it brings")
    if len(project.table("networks")) > 1:
        project.note(
            ("networks",),
            Verdict.adapted,
            "everything in the namespace reaches each other",
            "Add a NetworkPolicy where networks kept services apart",
        )
