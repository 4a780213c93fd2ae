"""`render.yaml`: one service of several, its workers, commands, variables and rules."""

import re
from collections.abc import Callable

from windlass.builds.detect.hostfiles import patterns
from windlass.builds.detect.hostfiles.plain import header_of, rule_of
from windlass.builds.detect.hostfiles.report import Reader, Refused, listed, word
from windlass.builds.detect.source import Table, table
from windlass.core.languages import N_

_ONE = N_("one process of each kind runs here")
_PLACE = N_("there is one place: this machine")
_SIZE = N_("memory and processor are set for each process: memory_mb, cpus")
_RENDER_CANNOT = {
    **dict.fromkeys(("type", "name", "runtime", "env", "repo", "dockerCommand"), ""),
    "plan": _SIZE,
    **dict.fromkeys(("region",), _PLACE),
    "scaling": _ONE,
    "ipAllowList": N_("who may visit is decided by the proxy in front"),
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


def render(content: Table, reader: Reader) -> None:
    """One web service or static site with the workers beside it, or workers alone; which of
    several this project is would be a guess."""
    ours: list[Table] = []
    workers: list[Table] = []
    for each in map(table, listed(content.get("services"))):
        kind = word(each.get("type"))
        if kind in ("web", "static"):
            ours.append(each)
        elif kind == "worker":
            workers.append(each)
        else:
            name = f"services.{word(each.get('name'))[:60]}"
            reason = _RENDER_KINDS.get(kind, N_("a {kind} service is not run yet"))
            reader.impossible(name, reason.format(kind=kind[:20]))
    for key in ("databases", "envVarGroups", "previews", "projects"):
        if key in content and key != "envVarGroups":
            reasons = {
                "databases": N_("databases are brought along; set their addresses as variables"),
                "previews": N_("previews are for every branch"),
            }
            reader.impossible(key, reasons.get(key, N_("it is not known here")))
    if len(ours) > 1:
        names = ", ".join(word(each.get("name")) for each in ours)[:200]
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
        name = word(worker.get("name"))
        key = f"services.{name[:60]}"
        if word(worker.get("rootDir")) != word(main.get("rootDir")):
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
        word(table(each).get("name")): listed(table(each).get("envVars"))
        for each in listed(content.get("envVarGroups"))
    }
    does: dict[str, Callable[[str, object], None]] = {
        "buildCommand": lambda key, value: reader.command("build_command", key, value),
        "startCommand": lambda key, value: reader.command("start_command", key, value),
        "preDeployCommand": lambda key, value: reader.command("release_command", key, value),
        "staticPublishPath": lambda key, value: reader.directory("output_directory", key, value),
        "rootDir": lambda key, value: reader.directory("root_directory", key, value),
        "healthCheckPath": lambda key, value: reader.health(key, value),
        "envVars": lambda key, value: _env_vars(reader, listed(value), groups),
        "numInstances": reader.instances,
        "maxShutdownDelaySeconds": lambda key, value: reader.limit(
            key, ["web"], "grace_seconds", value
        ),
        "routes": lambda key, value: _routes(reader, listed(value)),
        "headers": lambda key, value: _headers(reader, listed(value)),
    }
    reader.each(service, does, _RENDER_CANNOT)


def _env_vars(reader: Reader, items: list[object], groups: dict[str, list[object]]) -> None:
    for item in map(table, items):
        name = word(item.get("key", ""))
        key = f"envVars.{name[:60]}"
        if "fromGroup" in item:
            group = word(item["fromGroup"])
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
            path = patterns.netlify(word(item.get("source")))
            destination = word(item.get("destination"))
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
                    rule=word(item.get("source"))[:120], reason=refused
                ),
            )
    reader.count("routes", made)


def _headers(reader: Reader, items: list[object]) -> None:
    made = 0
    for number, item in enumerate(map(table, items)):
        try:
            path = patterns.netlify(word(item.get("path")))
            reader.headers.append(header_of(path, word(item.get("name")), word(item.get("value"))))
            made += 1
        except Refused as refused:
            reader.impossible(
                f"headers[{number}]",
                N_("`{rule}` is left out: {reason}").format(
                    rule=word(item.get("path"))[:120], reason=refused
                ),
            )
    reader.count("headers", made)
