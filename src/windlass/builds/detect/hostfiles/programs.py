"""`app.json` (Heroku, Dokku), `railway.json` and `railway.toml`: how a program is started."""

from collections.abc import Callable
from typing import cast

from windlass.builds.detect.hostfiles.report import Reader
from windlass.builds.detect.source import Table, table
from windlass.core.languages import N_

_ONE = N_("one process of each kind runs here")
_APP_CANNOT = {
    **dict.fromkeys(
        ("name", "description", "keywords", "website", "repository", "logo", "$schema", "stack"), ""
    ),
    "addons": N_(
        "databases and other services are brought along; set their addresses as variables"
    ),
    "buildpacks": N_("the plan is detected here"),
    "environments": N_("there are no environments but production and previews"),
    "cron": N_("jobs by the clock are not run here yet"),
    "image": N_("images are not built from this file"),
    "success_url": "",
}
_KNOWN_IN_APP = ("env", "formation", "healthchecks", "scripts", "addons", "buildpacks", "cron")
_RAILWAY_BUILD = {
    "watchPatterns": N_("paths that count are set with the Git host of the project"),
    "dockerfilePath": N_("a Dockerfile is built where a container engine is, by its own settings"),
    "nixpacksConfigPath": N_("the plan is detected here"),
    "nixpacksPlan": N_("the plan is detected here"),
    "nixpacksVersion": N_("the plan is detected here"),
    "railpackVersion": N_("the plan is detected here"),
    "buildEnvironment": "",
}
_RAILWAY_DEPLOY = {
    "cronSchedule": N_("jobs by the clock are not run here yet"),
    "multiRegionConfig": N_("there is one place: this machine"),
    "region": N_("there is one place: this machine"),
    "runtime": "",
    "requiredMountPath": N_("no folder outlives a release"),
}


def app_json(content: Table, reader: Reader) -> None:
    """Other tools have an app.json, too (Expo): without a key of ours it is theirs."""
    if not any(key in content for key in _KNOWN_IN_APP):
        return
    does: dict[str, Callable[[str, object], None]] = {
        "env": lambda key, value: _app_env(reader, table(value)),
        "formation": lambda key, value: _formation(reader, table(value)),
        "healthchecks": lambda key, value: _health_checks(reader, table(value)),
        "scripts": lambda key, value: _scripts(reader, table(value)),
    }
    reader.each(content, does, _APP_CANNOT)


def _app_env(reader: Reader, values: Table) -> None:
    for name, given in values.items():
        described = table(given)
        value = described.get("value") if isinstance(given, dict) else given
        detail = str(described.get("description") or "")[:200]
        if value is not None:
            reader.environment("env", {name: value})
        elif described.get("generator"):
            reader.variable(name, detail=detail)
            reader.adapted(f"env.{name[:60]}", N_("make a secret and set it as a variable"))
        else:
            needed = "" if described.get("required") is False else N_("set it as a variable")
            reader.variable(name, detail=detail)
            reader.adapted(f"env.{name[:60]}", needed or N_("it may be set as a variable"))


def _formation(reader: Reader, values: Table) -> None:
    for name, given in values.items():
        quantity = table(given).get("quantity", 1)
        if quantity == 1:
            reader.exact(f"formation.{name[:60]}")
        elif quantity == 0 and name == "web":
            reader.wish(start_command="")
            reader.exact("formation.web", N_("not run"))
        elif quantity == 0:
            reader.wish(processes={**reader.wishes.processes, name: ""})
            reader.exact(f"formation.{name[:60]}", N_("not run"))
        else:
            reader.impossible(
                f"formation.{name[:60]}",
                N_("{number} wanted; one process of each kind runs here").format(
                    number=str(quantity)[:20]
                ),
            )


def _health_checks(reader: Reader, values: Table) -> None:
    for name, given in values.items():
        checks = cast(list[object], given) if isinstance(given, list) else []
        for number, check in enumerate(map(table, checks)):
            key = f"healthchecks.{name[:60]}[{number}]"
            if name != "web" or not check.get("path"):
                reader.impossible(key, N_("only the web process is asked, by a path"))
            elif check.get("type") == "liveness":
                reader.impossible(key, N_("a program is asked before the switch, not afterwards"))
            else:
                reader.health(key, check["path"])
                _patience(reader, key, check)


def _patience(reader: Reader, key: str, check: Table) -> None:
    """Tries and pauses of a check as one time within which it has to succeed."""
    given = {name: check.get(name) for name in ("initialDelay", "attempts", "wait", "timeout")}
    if all(value is None for value in given.values()):
        return
    first, attempts, wait, timeout = (
        value if isinstance(value, int | float) and 0 <= value < 10_000 else usual
        for value, usual in zip(given.values(), (0, 3, 5, 5), strict=True)
    )
    seconds = min(max(float(first + attempts * (wait + timeout)), 1.0), 900.0)
    reader.wish(start_timeout_seconds=seconds)
    reader.adapted(
        f"{key}.attempts", N_("it has to answer within {seconds} s").format(seconds=f"{seconds:g}")
    )


def _scripts(reader: Reader, values: Table) -> None:
    own = table(values.get("dokku"))
    for name, value in {**values, **{f"dokku.{key}": each for key, each in own.items()}}.items():
        key = f"scripts.{name[:60]}"
        if name in ("predeploy", "dokku.predeploy") and isinstance(value, str):
            reader.command("release_command", key, value)
            reader.adapted(key, N_("files that it writes are not part of the release"))
        elif name != "dokku":
            reader.impossible(key, N_("nothing runs after the switch"))


def railway(content: Table, reader: Reader) -> None:
    build, deploy = table(content.get("build")), table(content.get("deploy"))
    does: dict[str, Callable[[str, object], None]] = {
        "builder": lambda key, value: _builder(reader, key, value),
        "buildCommand": lambda key, value: reader.command("build_command", key, value),
    }
    reader.each(build, does, _RAILWAY_BUILD, prefix="build.")
    does = {
        "startCommand": lambda key, value: reader.command("start_command", key, value),
        "preDeployCommand": lambda key, value: reader.command("release_command", key, value),
        "healthcheckPath": lambda key, value: reader.health(key, value),
        "restartPolicyType": lambda key, value: _restart(reader, key, value),
        "numReplicas": reader.instances,
        "sleepApplication": lambda key, value: _sleep(reader, key, value),
        "healthcheckTimeout": reader.timeout,
        "restartPolicyMaxRetries": lambda key, _: reader.adapted(key, N_("there is no last try")),
        "drainingSeconds": lambda key, value: reader.limit(key, ["web"], "grace_seconds", value),
        "limits": lambda key, value: _limits(reader, key, table(value)),
        "limitOverride": lambda key, value: _limits(reader, key, table(value)),
        "overlapSeconds": lambda key, _: reader.adapted(
            key, N_("the old one ends when its last request is answered")
        ),
    }
    reader.each(deploy, does, _RAILWAY_DEPLOY, prefix="deploy.")
    rest = {name: value for name, value in content.items() if name not in ("build", "deploy")}
    reader.each(
        rest,
        {},
        {
            "$schema": "",
            "environments": N_("there are no environments but production and previews"),
        },
    )


def _sleep(reader: Reader, key: str, value: object) -> None:
    if value is not False:
        reader.impossible(key, N_("programs in production do not sleep"))


def _limits(reader: Reader, key: str, limits: Table) -> None:
    """`{"containers": {"cpu": 1, "memoryBytes": 1073741824}}`"""
    for name, value in table(limits.get("containers")).items():
        if name == "memoryBytes" and isinstance(value, int):
            value = value >> 20
        field = {"cpu": "cpus", "memoryBytes": "memory_mb"}.get(name)
        if field:
            reader.limit(f"{key}.containers.{name}", ["web"], field, value)
        else:
            reader.impossible(f"{key}.containers.{name[:40]}", N_("it is not known here"))


def _builder(reader: Reader, key: str, value: object) -> None:
    if value == "DOCKERFILE":
        reader.impossible(key, _RAILWAY_BUILD["dockerfilePath"])
    else:
        reader.adapted(key, N_("the plan is detected here"))


def _restart(reader: Reader, key: str, value: object) -> None:
    if value in ("ALWAYS", "ON_FAILURE"):
        reader.adapted(key, N_("a program that ends is started again, after 1 s, 2 s, … 60 s"))
    else:
        reader.impossible(key, N_("a program that ends is started again"))
