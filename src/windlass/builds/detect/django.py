"""Django: manage.py names the settings, the settings name the application."""

import ast

from msgspec.structs import replace

from windlass.builds.detect.python import server_plan
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.source import Source
from windlass.builds.detect.syntax import Found, Modules, Protocol, literal, parse
from windlass.builds.paths import join
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_ASGI_SERVERS = ("uvicorn", "daphne", "hypercorn", "granian")
_DRIVERS = ("psycopg", "psycopg2", "psycopg2-binary", "mysqlclient", "oracledb", "mssql-django")


def django(source: Source, requirements: Requirements) -> Plan | None:
    managers = [path for path in source.files if path.rpartition("/")[2] == "manage.py"]
    for manage in sorted(managers, key=lambda path: (path.count("/"), path))[:5]:
        base = manage.rpartition("/")[0] or "."
        settings = _settings_module(source, manage)
        if settings:
            return _plan(source, requirements, manage, base, settings)
    return None


def _plan(
    source: Source, requirements: Requirements, manage: str, base: str, settings: str
) -> Plan | None:
    evidence = [
        N_("{file}: settings module {settings}").format(
            file=source.named(manage), settings=settings
        )
    ]
    values = _settings(source, base, settings)
    target, protocol = _application(source, requirements, base, values)
    if target is None:
        return None
    name = "ASGI_APPLICATION" if protocol == "asgi" else "WSGI_APPLICATION"
    message = N_("settings: {name} is {target}") if name in values else N_("{target}, by its file")
    evidence.append(message.format(name=name, target=target))
    module, _, attribute = target.rpartition(".")
    collects = "STATIC_ROOT" in values
    build = f".venv/bin/python {manage} collectstatic --noinput" if collects else None
    if collects:
        evidence.append(N_("settings: STATIC_ROOT is set, static files are collected"))
    found = Found(manage, attribute, "django", "Django", protocol)
    # What wsgi.py itself says about the settings wins over manage.py.
    chosen = _application_chooses(source, base, module)
    plan = server_plan(
        source,
        requirements,
        found,
        target=f"{module}:{attribute}",
        base=base,
        evidence=evidence,
        build=build,
        env={} if chosen else {"DJANGO_SETTINGS_MODULE": settings},
        warnings=_warnings(source, requirements, values, manage),
    )
    if not _has_database(requirements):
        return plan
    release = f".venv/bin/python {manage} migrate --noinput"
    said = N_("a database's driver is listed: migrations run before each switch")
    return replace(plan, release_command=release, evidence=(*plan.evidence, said))


def _has_database(requirements: Requirements) -> bool:
    """A file of SQLite is read-only in a release: there is nothing to migrate."""
    return any(name in requirements.listed for name in _DRIVERS)


def _settings_module(source: Source, manage: str) -> str | None:
    """`os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")`, or the assignment."""
    tree = parse(source.code(manage) or "")
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and len(node.args) == 2:
            name, value = (literal(each) for each in node.args)
            if name == "DJANGO_SETTINGS_MODULE" and _is_dotted(value):
                return str(value)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            value = literal(node.value)
            key = literal(node.targets[0].slice)
            if key == "DJANGO_SETTINGS_MODULE" and _is_dotted(value):
                return str(value)
    return None


def _is_dotted(value: object) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _settings(source: Source, base: str, dotted: str) -> dict[str, object]:
    """What the settings assign: the module itself, then the files beside it that it builds on."""
    path = join(base, dotted.replace(".", "/"))
    home = path.rpartition("/")[0]
    if source.has(f"{path}/__init__.py"):
        files = [f"{path}/__init__.py", *_beside(source, path)]
    else:
        files = [f"{path}.py", *(_beside(source, home) if home.endswith("settings") else [])]
    modules, values = Modules(source), dict[str, object]()
    for file in files[:20]:
        module = modules.module(file) if source.has(file) else None
        for name, value in module.assignments() if module else ():
            if name.isupper():
                values.setdefault(name, literal(value))
    return values


def _beside(source: Source, folder: str) -> list[str]:
    depth = folder.count("/") + 1
    return [
        path
        for path in source.files
        if path.startswith(f"{folder}/") and path.count("/") == depth and path.endswith(".py")
    ]


def _application(
    source: Source, requirements: Requirements, base: str, values: dict[str, object]
) -> tuple[str | None, Protocol]:
    """WSGI, unless the project names an ASGI application and depends on a server for it."""
    asgi, wsgi = values.get("ASGI_APPLICATION"), values.get("WSGI_APPLICATION")
    serves = any(name in requirements.listed for name in (*_ASGI_SERVERS, "channels"))
    if _is_dotted(asgi) and (serves or not _is_dotted(wsgi)):
        return str(asgi), "asgi"
    if _is_dotted(wsgi):
        return str(wsgi), "wsgi"
    prefix = "" if base == "." else f"{base}/"
    modules = Modules(source)
    for path in source.files:
        if path.startswith(prefix) and path.endswith(("/wsgi.py", "/asgi.py")):
            for found in modules.applications(path):
                if found.framework == "django":
                    module = path[len(prefix) :].removesuffix(".py").replace("/", ".")
                    return f"{module}.{found.name}", found.protocol
    return None, "wsgi"


def _application_chooses(source: Source, base: str, dotted: str) -> bool:
    """Whether wsgi.py sets DJANGO_SETTINGS_MODULE itself."""
    path = join(base, f"{dotted.replace('.', '/')}.py")
    return source.has(path) and _settings_module(source, path) is not None


def _warnings(
    source: Source, requirements: Requirements, values: dict[str, object], manage: str
) -> tuple[str, ...]:
    found: list[str] = []
    if not source.has("Procfile") and not _has_database(requirements):
        found.append(
            N_(
                "Migrations are not run by themselves: `release: python {manage} migrate` in a"
                " Procfile runs them before each switch."
            ).format(manage=manage)
        )
    hosts = values.get("ALLOWED_HOSTS")
    if isinstance(hosts, list) and not hosts and values.get("DEBUG") is not True:
        found.append(
            N_("ALLOWED_HOSTS is empty: Django answers 400 until the site's name is in it.")
        )
    if "STATIC_ROOT" in values and "whitenoise" not in requirements.listed:
        found.append(N_("Static files are collected, but nothing serves them: whitenoise would."))
    return tuple(found)
