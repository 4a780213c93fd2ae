"""`fly.toml`: processes, their limits and services."""

import re
from collections.abc import Callable, Mapping

from windlass.builds.detect.hostfiles.report import Reader, listed, word
from windlass.builds.detect.source import Table, table
from windlass.core.languages import N_

_PLACE = N_("there is one place: this machine")
_SIZE = N_("memory and processor are set for each process: memory_mb, cpus")
_DOCKERFILE = N_("a Dockerfile is built where a container engine is, by its own settings")
_FLY_CANNOT = {
    **dict.fromkeys(("app", "kill_signal", "console_command"), ""),
    "primary_region": _PLACE,
    "swap_size_mb": _SIZE,
    "mounts": N_("no folder outlives a release"),
    "statics": N_("an app serves its own files"),
    "metrics": N_("metrics of apps are not collected"),
    "files": N_("files are part of the source"),
}
_FLY_SERVICE_CANNOT = {
    "force_https": N_("TLS is the business of the proxy in front"),
    "auto_stop_machines": N_("programs in production do not sleep"),
    "auto_start_machines": "",
    "min_machines_running": "",
    "processes": "",
    "concurrency": N_("visitors are not limited per program"),
    "ports": N_("the edge has the public ports"),
    "protocol": "",
    "tls_options": N_("TLS is the business of the proxy in front"),
    "http_options": "",
    "tcp_checks": N_("a program is asked by a path"),
}


def fly(content: Table, reader: Reader) -> None:
    names = _names(content)
    does: dict[str, Callable[[str, object], None]] = {
        "env": lambda key, value: reader.environment(key, value),
        "deploy": lambda key, value: _deploy(reader, table(value)),
        "processes": lambda key, value: _processes(reader, table(value), content),
        "kill_timeout": lambda key, value: reader.limit(
            key, list(names.values()), "grace_seconds", _seconds(value)
        ),
        "vm": lambda key, value: _vm(reader, key, value, names),
        "restart": lambda key, value: _restarts(reader, key, value, names),
        "build": lambda key, value: _build(reader, table(value)),
        "http_service": lambda key, value: _fly_service(reader, key, table(value)),
        "services": lambda key, value: _fly_services(reader, key, listed(value)),
        "checks": lambda key, value: _checks(reader, key, list(table(value).values())),
    }
    reader.each(content, does, _FLY_CANNOT)


def _names(content: Table) -> dict[str, str]:
    """The processes as they are called there, and what each is called here."""
    processes = table(content.get("processes"))
    web = _web(content, processes)
    return {web or "app": "web"} | {name: name for name in processes if name != web}


def _vm(reader: Reader, key: str, value: object, names: Mapping[str, str]) -> None:
    """Memory and processors of some processes, or of all."""
    for number, each in enumerate(_tables(value)):
        of = _of(each, names)
        for name, field in (("memory", "memory_mb"), ("memory_mb", "memory_mb"), ("cpus", "cpus")):
            if name in each:
                amount = _mebibytes(each[name]) if field == "memory_mb" else each[name]
                reader.limit(f"{key}[{number}].{name}", of, field, amount)
        if "size" in each:
            reader.adapted(f"{key}[{number}].size", _SIZE)


def _restarts(reader: Reader, key: str, value: object, names: Mapping[str, str]) -> None:
    """When a process is started again; web always is."""
    for number, each in enumerate(_tables(value)):
        of, policy = _of(each, names), word(each.get("policy"))
        workers = [name for name in of if name != "web"]
        if workers and policy in ("always", "on-failure", "never"):
            reader.limit(f"{key}[{number}].policy", workers, "restart", policy)
        if "web" in of:
            reader.adapted(f"{key}[{number}]", N_("the server is always started again"))


def _of(each: Table, names: Mapping[str, str]) -> list[str]:
    """The processes that an entry is about, as they are called here; all when it says nothing."""
    said = [word(name) for name in listed(each.get("processes"))]
    return [names[name] for name in said or names if name in names]


def _tables(value: object) -> list[Table]:
    return list(map(table, listed(value) if isinstance(value, list) else [value]))


def _seconds(value: object) -> object:
    """`5`, `"5s"`, `"2m"` as seconds."""
    found = re.fullmatch(r"(\d{1,6})(s|m|h|)", value) if isinstance(value, str) else None
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else value


def _mebibytes(value: object) -> object:
    """`512`, `"512mb"`, `"1gb"` as MiB."""
    text = value.lower().replace(" ", "") if isinstance(value, str) else ""
    found = re.fullmatch(r"(\d{1,6})(mb|mib|m|gb|gib|g|)", text)
    return int(found[1]) * (1024 if found[2].startswith("g") else 1) if found else value


def _deploy(reader: Reader, deploy: Table) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "release_command": lambda key, value: reader.command("release_command", key, value),
        "strategy": lambda key, _: reader.adapted(key, N_("the new one answers before the switch")),
    }
    does["wait_timeout"] = lambda key, value: reader.timeout(key, _seconds(value))
    cannot = {"release_command_timeout": "", "release_command_vm": _SIZE}
    reader.each(deploy, does, cannot, prefix="deploy.")


def _processes(reader: Reader, processes: Table, content: Table) -> None:
    """The one that has a service, or the usual name, answers visitors; else all are workers."""
    web = _web(content, processes)
    if web is None and not any(_served_by(content)):
        reader.wish(start_command="")
    for name, command in processes.items():
        if name == web:
            reader.command("start_command", f"processes.{name}", command)
        else:
            reader.process(f"processes.{name[:60]}", name, command)


def _served_by(content: Table) -> list[Table]:
    return [table(content.get("http_service")), *map(table, listed(content.get("services")))]


def _web(content: Table, processes: Table) -> str | None:
    """What the process is called that answers visitors."""
    services = _served_by(content)
    served = [word(name) for each in services for name in listed(each.get("processes"))]
    return next((name for name in (*served, "app", "web") if name in processes), None)


def _build(reader: Reader, build: Table) -> None:
    for name in build:
        reason = _DOCKERFILE if name == "dockerfile" else ""
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
        "checks": lambda key, value: _checks(reader, key, listed(value)),
        "http_checks": lambda key, value: _checks(reader, key, listed(value)),
    }
    reader.each(service, does, _FLY_SERVICE_CANNOT, prefix=f"{prefix}.")


def _checks(reader: Reader, key: str, checks: list[object]) -> None:
    for number, check in enumerate(map(table, checks)):
        if "path" in check:
            reader.health(f"{key}[{number}]", check["path"])
        else:
            reader.impossible(f"{key}[{number}]", N_("a program is asked by a path"))
