"""What the child does with a cluster: install, upgrade, roll back, uninstall, tell the history.

Unlike rendering it needs the network; it has no other way out than the one address it was given,
and nothing of the machine's surroundings: no environment, no home, no kubeconfig but its own.
"""

import importlib
import json
import signal
import threading
from typing import Any

Request = dict[str, Any]

_PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")


def answer(request: Request, archive: bytes) -> dict[str, object]:
    """Does what is asked, in a thread: a signal to end reaches Helm, which then writes down that
    the revision failed instead of leaving it half done."""
    import helm_python

    context = helm_python.HelmContext()
    signal.signal(signal.SIGTERM, lambda *_: context.cancel())
    made: list[dict[str, object]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            made.append(_done(request, archive, context))
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(0.2)  # signals are heard between two waits
    if failed:
        raise failed[0]
    return made[0]


def _done(request: Request, archive: bytes, context: Any) -> dict[str, object]:
    import helm_python

    with helm_python.Config(
        kubeconfig_content=request["kubeconfig"], namespace=request["namespace"]
    ) as config:
        name, options = request["release"], request["options"]
        match request["verb"]:
            case "deploy":
                with helm_python.Chart.load_archive(archive) as chart:
                    _deploy(config, context, chart, request)
            case "rollback":
                _call("helm_rollback", config, name, options, status=True)
            case "uninstall":
                _call("helm_uninstall", config, name, {"ignore_not_found": True, **options})
            case "recover":
                _recover(config, name, options)
            case _:
                pass
        return {"revisions": _history(config, name)}


def _deploy(config: Any, context: Any, chart: Any, request: Request) -> None:
    """`helm upgrade --install`: an installation where nothing is, or what is was uninstalled."""
    name = request["release"]
    past = _history(config, name)
    is_new = not past or past[-1]["status"] == "uninstalled"
    options = {**request["options"], **request["install" if is_new else "upgrade"]}
    if is_new and past:
        options["replace"] = True
    native = importlib.import_module("helm_python._native")
    native.call_string(
        "helm_install" if is_new else "helm_upgrade",
        *(config._raw(), context._raw(), chart._raw(), None, name),
        *(json.dumps(request["values"]), json.dumps(options)),
    )


def _recover(config: Any, name: str, options: Request) -> None:
    """A release whose last operation was killed in the middle blocks every other: back to what was
    deployed last, or away with what was never there."""
    past = _history(config, name)
    if not past or past[-1]["status"] not in _PENDING:
        return
    good = [one["revision"] for one in past if one["status"] in ("deployed", "superseded")]
    if past[-1]["status"] == "uninstalling" or not good:
        _call("helm_uninstall", config, name, {"ignore_not_found": True, **options})
    else:
        _call("helm_rollback", config, name, {"version": good[-1], **options}, status=True)


def _history(config: Any, name: str) -> list[Request]:
    import helm_python

    try:
        found = config.history(name)
    except helm_python.HelmNotFoundError:
        return []
    shown = ("revision", "status", "chart_name", "chart_version", "app_version", "deployed_at")
    return sorted(
        ({key: one.get(key) or "" for key in shown} for one in found),
        key=lambda one: int(one["revision"]),
    )


def _call(function: str, config: Any, name: str, options: Request, *, status: bool = False) -> None:
    native = importlib.import_module("helm_python._native")
    call = native.call_status if status else native.call_string
    call(function, config._raw(), name, json.dumps(options))
