"""The child: reads one request, loads Helm, gives up its rights, answers, ends.

`python -I -m windlass.helm.child`; a line of JSON, then the packed chart, on standard input; one
JSON object on standard output. What a chart does to it (memory, time) ends only this process.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from windlass.helm import confine

Request = dict[str, Any]


def main() -> None:
    request: Request = json.loads(sys.stdin.buffer.readline())
    archive = sys.stdin.buffer.read()
    try:
        import helm_python
    except ImportError:
        _answer({"error": {"kind": "missing", "message": ""}})
        return
    if "kubeconfig" in request:
        _released(request, archive)
        return
    try:
        # What the library itself reserved is not the chart's affair.
        confine.limit(**request["limits"])
        confine.forbid()
    except confine.CannotConfine as error:
        _answer({"error": {"kind": "confine", "message": str(error)}})
        return
    try:
        with helm_python.Chart.load_archive(archive) as chart:
            _answer(_VERBS[request["verb"]](chart, request))
    except helm_python.HelmError as error:
        _answer(_failed(error))


def _released(request: Request, archive: bytes) -> None:
    """With a cluster: the library then needs files and the network."""
    import helm_python

    from windlass.helm import releasing

    try:
        _answer(releasing.answer(request, archive))
    except helm_python.HelmError as error:
        _answer(_failed(error))


def _failed(error: Any) -> dict[str, object]:
    import helm_python

    kind = helm_python.ErrorCode(error.code).name if error.code is not None else "UNKNOWN"
    return {"error": {"kind": kind.lower(), "message": str(error)}}


def _render(chart: Any, request: Request) -> dict[str, object]:
    # Before rendering gives dependencies the names of their aliases.
    metadata = chart.metadata
    loaded = [str(one.get("name")) for one in chart.dependencies or []]
    _demand(chart, request)
    return {
        "templates": _templates(chart, request, request["values"]),
        "values": chart.merge_values(request["values"]) or {},
        "defaults": chart.values or {},
        "metadata": metadata,
        "loaded": loaded,
        "crds": {str(one["filename"]): str(one["data"]) for one in chart.crds or []},
        "sources": {str(one["name"]): str(one["data"]) for one in chart.templates or []},
    }


def _probe(chart: Any, request: Request) -> dict[str, object]:
    """Which templates come out differently with other values: one answer for each try, until the
    time is over; null where Helm refuses the values."""
    import helm_python

    end = time.monotonic() + request["seconds"]
    plain = _templates(chart, request, request["values"])
    tries: list[dict[str, str] | None] = []
    for values in request["probes"]:
        if time.monotonic() > end:
            break
        try:
            made = _templates(chart, request, values)
        except helm_python.HelmError:
            tries.append(None)
            continue
        tries.append({name: text for name, text in made.items() if plain.get(name) != text})
    return {"tries": tries}


def _templates(chart: Any, request: Request, values: dict[str, object]) -> dict[str, str]:
    # The package's own method leaves out what it may be given: versions, for one.
    native = importlib.import_module("helm_python._native")
    given = (json.dumps(values), json.dumps(request["options"]))
    return json.loads(native.call_string("helm_render", chart._raw(), *given))


def _demand(chart: Any, request: Request) -> None:
    """What Helm asks of a chart before it installs it, such as the version of Kubernetes."""
    import helm_python

    native = importlib.import_module("helm_python._native")
    options = {
        key: request["options"][key] for key in ("kube_version", "api_versions", "namespace")
    }
    options |= {"dry_run": "client", "skip_schema_validation": True}
    if not chart.metadata.get("kubeVersion"):
        return
    with helm_python.Config(namespace=options["namespace"], storage_driver="memory") as config:
        handle: Any = config
        native.call_string(
            *("helm_install", handle._raw(), native.HANDLE(0), chart._raw(), None),
            *(request["options"]["name"], json.dumps(request["values"]), json.dumps(options)),
        )


_VERBS: dict[str, Callable[[Any, Request], dict[str, object]]] = {
    "render": _render,
    "probe": _probe,
}


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    # Helm's threads have nothing to say any more, and Python's end would open files.
    os._exit(0)


if __name__ == "__main__":
    main()
