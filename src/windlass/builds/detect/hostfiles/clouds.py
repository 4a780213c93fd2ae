"""`render.yaml` and `fly.toml`: one service of several, its commands, variables and rules."""

import re
from collections.abc import Callable
from typing import cast

from windlass.builds.detect.hostfiles import patterns
from windlass.builds.detect.hostfiles.plain import header_of, rule_of
from windlass.builds.detect.hostfiles.report import Reader, Refused
from windlass.builds.detect.source import Table, table
from windlass.core.languages import N_

_ONE = N_("one process of each kind runs here")
_PLACE = N_("there is one place: this machine")
_SIZE = N_("limits are the server's")
_RENDER_CANNOT = {
    **dict.fromkeys(("type", "name", "runtime", "env", "repo", "dockerCommand"), ""),
    **dict.fromkeys(("plan", "maxShutdownDelaySeconds"), _SIZE),
    **dict.fromkeys(("region",), _PLACE),
    **dict.fromkeys(("numInstances", "scaling"), _ONE),
    **dict.fromkeys(
        ("branch", "autoDeploy", "autoDeployTrigger", "buildFilter"), N_("set by project")
    ),
    **dict.fromkeys(
        ("pullRequestPreviewsEnabled", "previews"), N_("previews are for every branch")
    ),
    "disk": N_("no folder outlives a release"),
    "domains": N_("host names are given to the project, not by a file"),
    "dockerfilePath": N_("a Dockerfile is built where a container engine is, by its own settings"),
    "dockerContext": N_("a Dockerfile is built where a container engine is, by its own settings"),
    "image": N_("images are not named by this file"),
    "initialDeployHook": N_("nothing runs once only"),
    "schedule": N_("jobs by the clock are not run here yet"),
}
_RENDER_KINDS = {
    "pserv": N_("a private service would be a project of its own, and projects do not see others"),
    "cron": N_("jobs by the clock are not run here yet"),
    **dict.fromkeys(
        ("keyvalue", "redis"), N_("databases are brought along; set their addresses as variables")
    ),
}
_FLY_CANNOT = {
    **dict.fromkeys(("app", "kill_signal", "console_command"), ""),
    "primary_region": _PLACE,
    "kill_timeout": N_("for all: apps.drain_seconds"),
    "swap_size_mb": _SIZE,
    "vm": _SIZE,
    "mounts": N_("no folder outlives a release"),
    "statics": N_("an app serves its own files"),
    "metrics": N_("metrics of apps are not collected"),
    "files": N_("files are part of the source"),
    "restart": N_("a program that ends is started again"),
}
_FLY_SERVICE_CANNOT = {
    "force_https": N_("TLS is the business of the proxy in front"),
    "auto_stop_machines": N_("programs in production do not sleep"),
    "auto_start_machines": "",
    "min_machines_running": _ONE,
    "processes": "",
    "concurrency": N_("visitors are not limited per program"),
    "ports": N_("the edge has the public ports"),
    "protocol": "",
    "tls_options": N_("TLS is the business of the proxy in front"),
    "http_options": "",
    "tcp_checks": N_("a program is asked by a path"),
}


def render(content: Table, reader: Reader) -> None:
    """One web service or static site with the workers beside it, or workers alone; which of
    several this project is would be a guess."""
    ours: list[Table] = []
    workers: list[Table] = []
    for each in map(table, _listed(content.get("services"))):
        kind = _text(each.get("type"))
        if kind in ("web", "static"):
            ours.append(each)
        elif kind == "worker":
            workers.append(each)
        else:
            name = f"services.{_text(each.get('name'))[:60]}"
            reason = _RENDER_KINDS.get(kind, N_("a {kind} service is not run yet"))
            reader.impossible(name, reason.format(kind=kind[:20]))
    for key in ("databases", "envVarGroups", "previews", "projects"):
        if key in content and key != "envVarGroups":
            reason = N_("databases are brought along; set their addresses as variables")
            reader.impossible(key, reason if key == "databases" else N_("it is not known here"))
    if len(ours) > 1:
        names = ", ".join(_text(each.get("name")) for each in ours)[:200]
        reader.impossible(
            "services",
            N_("several ({names}); make a project of each, with its folder").format(names=names),
        )
        return
    if ours:
        _service(ours[0], content, reader)
    elif workers:
        # What they share is said by the first of them.
        _service({**workers[0], "startCommand": ""}, content, reader)
    _render_workers(workers, ours[0] if ours else (workers or [{}])[0], reader)


def _render_workers(workers: list[Table], main: Table, reader: Reader) -> None:
    """Workers that are made from the same folder run beside the web service, as its processes."""
    for worker in workers:
        name = _text(worker.get("name"))
        key = f"services.{name[:60]}"
        if _text(worker.get("rootDir")) != _text(main.get("rootDir")):
            reader.impossible(key, N_("it has a folder of its own; make a project of it"))
            continue
        process = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:63] or "worker"
        command = worker.get("startCommand") or worker.get("dockerCommand")
        if worker is not main and not command:
            reader.impossible(key, N_("it has no command of its own"))
            continue
        reader.process(key, process, command)
        if worker is not main and "envVars" in worker:
            reader.adapted(
                f"{key}.envVars", N_("it has the variables of the web service, and no others")
            )


def _service(service: Table, content: Table, reader: Reader) -> None:
    groups = {
        _text(table(each).get("name")): _listed(table(each).get("envVars"))
        for each in _listed(content.get("envVarGroups"))
    }
    does: dict[str, Callable[[str, object], None]] = {
        "buildCommand": lambda key, value: reader.command("build_command", key, value),
        "startCommand": lambda key, value: reader.command("start_command", key, value),
        "preDeployCommand": lambda key, value: reader.command("release_command", key, value),
        "staticPublishPath": lambda key, value: reader.directory("output_directory", key, value),
        "rootDir": lambda key, value: reader.directory("root_directory", key, value),
        "healthCheckPath": lambda key, value: reader.health(key, value),
        "envVars": lambda key, value: _env_vars(reader, _listed(value), groups),
        "routes": lambda key, value: _routes(reader, _listed(value)),
        "headers": lambda key, value: _headers(reader, _listed(value)),
    }
    reader.each(service, does, _RENDER_CANNOT)


def _env_vars(reader: Reader, items: list[object], groups: dict[str, list[object]]) -> None:
    for item in map(table, items):
        name = _text(item.get("key", ""))
        key = f"envVars.{name[:60]}"
        if "fromGroup" in item:
            group = _text(item["fromGroup"])
            _env_vars(reader, groups.get(group, []), {})
            if group not in groups:
                reader.impossible(f"envVars.{group[:60]}", N_("the file has no such group"))
        elif "value" in item:
            reader.environment("envVars", {name: item["value"]})
        elif item.get("generateValue"):
            reader.variable(name)
            reader.adapted(key, N_("make a secret and set it as a variable"))
        elif "fromDatabase" in item or "fromService" in item:
            reader.variable(name)
            reader.adapted(key, N_("set the address of what you bring along as a variable"))
        else:
            reader.variable(name)
            reader.adapted(key, N_("set it as a variable"))


def _routes(reader: Reader, items: list[object]) -> None:
    made = 0
    for number, item in enumerate(map(table, items)):
        try:
            path = patterns.netlify(_text(item.get("source")))
            destination = _text(item.get("destination"))
            if "*" in destination:
                destination = destination.replace("*", ":splat", 1)
            target = patterns.target(destination, path.groups)
            is_redirect = item.get("type") == "redirect"
            rule = rule_of(path, target, 301 if is_redirect else 200, before_files=is_redirect)
            reader.rules.append(rule)
            made += 1
        except Refused as refused:
            reader.impossible(
                f"routes[{number}]",
                N_("`{rule}` is left out: {reason}").format(
                    rule=_text(item.get("source"))[:120], reason=refused
                ),
            )
    reader.count("routes", made)


def _headers(reader: Reader, items: list[object]) -> None:
    made = 0
    for number, item in enumerate(map(table, items)):
        try:
            path = patterns.netlify(_text(item.get("path")))
            reader.headers.append(
                header_of(path, _text(item.get("name")), _text(item.get("value")))
            )
            made += 1
        except Refused as refused:
            reader.impossible(
                f"headers[{number}]",
                N_("`{rule}` is left out: {reason}").format(
                    rule=_text(item.get("path"))[:120], reason=refused
                ),
            )
    reader.count("headers", made)


def fly(content: Table, reader: Reader) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "env": lambda key, value: reader.environment(key, value),
        "deploy": lambda key, value: _deploy(reader, table(value)),
        "processes": lambda key, value: _processes(reader, table(value), content),
        "build": lambda key, value: _build(reader, table(value)),
        "http_service": lambda key, value: _fly_service(reader, key, table(value)),
        "services": lambda key, value: _fly_services(reader, key, _listed(value)),
        "checks": lambda key, value: _checks(reader, key, list(table(value).values())),
    }
    reader.each(content, does, _FLY_CANNOT)


def _deploy(reader: Reader, deploy: Table) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "release_command": lambda key, value: reader.command("release_command", key, value),
        "strategy": lambda key, _: reader.adapted(key, N_("the new one answers before the switch")),
    }
    cannot = {"release_command_timeout": "", "release_command_vm": _SIZE, "wait_timeout": ""}
    reader.each(deploy, does, cannot, prefix="deploy.")


def _processes(reader: Reader, processes: Table, content: Table) -> None:
    """The one that has a service, or the usual name, answers visitors; else all are workers."""
    services = [table(content.get("http_service")), *map(table, _listed(content.get("services")))]
    served = [_text(name) for each in services for name in _listed(each.get("processes"))]
    web = next((name for name in (*served, "app", "web") if name in processes), None)
    if web is None and not any(services):
        reader.wish(start_command="")
    for name, command in processes.items():
        if name == web:
            reader.command("start_command", f"processes.{name}", command)
        else:
            reader.process(f"processes.{name[:60]}", name, command)


def _build(reader: Reader, build: Table) -> None:
    for name in build:
        reason = _RENDER_CANNOT["dockerfilePath"] if name == "dockerfile" else ""
        if reason:
            reader.impossible(f"build.{name}", reason)
        else:
            reader.adapted(f"build.{name[:60]}", N_("the plan is detected here"))


def _fly_services(reader: Reader, key: str, services: list[object]) -> None:
    for number, service in enumerate(services):
        _fly_service(reader, f"{key}[{number}]", table(service))


def _fly_service(reader: Reader, prefix: str, service: Table) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "internal_port": lambda key, value: reader.port(key, value),
        "checks": lambda key, value: _checks(reader, key, _listed(value)),
        "http_checks": lambda key, value: _checks(reader, key, _listed(value)),
    }
    reader.each(service, does, _FLY_SERVICE_CANNOT, prefix=f"{prefix}.")


def _checks(reader: Reader, key: str, checks: list[object]) -> None:
    for number, check in enumerate(map(table, checks)):
        if "path" in check:
            reader.health(f"{key}[{number}]", check["path"])
        else:
            reader.impossible(f"{key}[{number}]", N_("a program is asked by a path"))


def _listed(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _text(value: object) -> str:
    """What stands there if it is a word or a number. YAML lets a few lines be a list of lists of
    lists that nobody could write out."""
    return str(value) if isinstance(value, str | int | float) else ""
