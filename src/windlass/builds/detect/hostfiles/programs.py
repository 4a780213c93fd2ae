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
    "watchPatterns": N_("every deployment that is asked for is made"),
    "dockerfilePath": N_("a Dockerfile is built where a container engine is, by its own settings"),
    "nixpacksConfigPath": N_("the plan is detected here"),
    "nixpacksPlan": N_("the plan is detected here"),
    "nixpacksVersion": N_("the plan is detected here"),
    "railpackVersion": N_("the plan is detected here"),
    "buildEnvironment": "",
}
_RAILWAY_DEPLOY = {
    "cronSchedule": N_("jobs by the clock are not run here yet"),
    "healthcheckTimeout": N_("one timeout for all programs: apps.start_timeout_seconds"),
    "numReplicas": _ONE,
    "multiRegionConfig": N_("there is one place: this machine"),
    "region": N_("there is one place: this machine"),
    "runtime": "",
    "sleepApplication": N_("programs in production do not sleep"),
    "limits": N_("limits are the server's"),
    "limitOverride": N_("limits are the server's"),
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
        "restartPolicyMaxRetries": lambda key, _: reader.adapted(key, N_("there is no last try")),
        "drainingSeconds": lambda key, _: reader.adapted(key, N_("for all: apps.drain_seconds")),
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
