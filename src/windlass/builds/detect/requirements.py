"""What a Python project depends on, and the commands that install exactly that with uv."""

import re
import shlex
from functools import cached_property

import msgspec

from windlass.builds.detect.source import Source, table, texts
from windlass.builds.paths import join, normal

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?", re.ASCII)
_INCLUDE = re.compile(r"\s*(?:-r|--requirement)[ =]?\s*(\S+)")
_REQUIREMENTS = ("requirements.txt", "requirements/production.txt", "requirements/prod.txt")
_DOCS = ("docs/requirements.txt", "doc/requirements.txt", "requirements-docs.txt")
_LIST = "/tmp/windlass-requirements.txt"  # noqa: S108 - the sandbox's own /tmp
# Extras that bring a server along.
_BRINGS = {
    ("fastapi", "standard"): "uvicorn",
    ("fastapi", "all"): "uvicorn",
    ("litestar", "standard"): "uvicorn",
}

PYTHON_ENV = {
    "PYTHONUNBUFFERED": "1",
    "UV_PYTHON": "python3",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_LINK_MODE": "copy",
}


class Dependency(msgspec.Struct, frozen=True):
    name: str
    place: str
    """The file that lists it."""
    group: str = ""
    """`--group docs` or `--extra docs` when it is not among the main ones."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class Requirements:
    """Everything a source says about its Python dependencies."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def pyproject(self) -> dict[str, object]:
        return self.source.toml("pyproject.toml") if self.source.has("pyproject.toml") else {}

    @cached_property
    def listed(self) -> dict[str, Dependency]:
        """By canonical name. Main dependencies hide those of groups."""
        found: dict[str, Dependency] = {}
        for dependency in [*self._main(), *self._groups()]:
            found.setdefault(dependency.name, dependency)
        return found

    @cached_property
    def exist(self) -> bool:
        """Whether any file says what to install."""
        return self.manager is not None

    @cached_property
    def manager(self) -> str | None:
        source = self.source
        if source.has("uv.lock") and self.pyproject:
            return "uv"
        if source.has("poetry.lock") and self.pyproject:
            return "poetry"
        if source.has("pdm.lock") and self.pyproject:
            return "pdm"
        if source.first("Pipfile.lock", "Pipfile"):
            return "pipenv"
        if source.first(*_REQUIREMENTS):
            return "pip"
        if "project" in self.pyproject:
            return "uv"
        if table(table(self.pyproject.get("tool")).get("poetry")):
            return "poetry"
        return "pip" if source.first("setup.py", "setup.cfg") else None

    @property
    def lock_file(self) -> str | None:
        locks = {
            "uv": ("uv.lock",),
            "poetry": ("poetry.lock",),
            "pdm": ("pdm.lock",),
            "pipenv": ("Pipfile.lock", "Pipfile"),
            "pip": (*_REQUIREMENTS, "setup.cfg", "setup.py"),
        }
        found = self.source.first(*locks.get(self.manager or "", ()))
        found = found or self.source.first("pyproject.toml")
        return self.source.named(found) if found and self.manager else None

    def install(self, *, also: tuple[str, ...] = (), group: str = "", file: str = "") -> str:
        """The install command. `also` is installed beside what the project lists, `group` is
        `--group x` or `--extra x`, `file` a further list of requirements."""
        steps = self._steps(group)
        if file:
            steps.append(_pip_install(f"-r {shlex.quote(file)}"))
        if also:
            steps.append(_pip_install(shlex.join(also)))
        if not any(step.startswith("uv sync") for step in steps):
            steps.insert(0, "uv venv --quiet --allow-existing .venv")
        return " && ".join(steps)

    def _steps(self, group: str) -> list[str]:
        source, flag = self.source, f" {group}" if group else ""
        match self.manager:
            case "uv" if source.has("uv.lock"):
                return [f"uv sync --frozen --no-dev --compile-bytecode{flag}"]
            case "poetry" if source.has("poetry.lock"):
                only = group.replace("--group", "--with").replace("--extra", "--extras")
                export = "uv tool run --with poetry-plugin-export poetry export"
                return [
                    f"{export} --format requirements.txt --output {_LIST} {only}".strip(),
                    _pip_install(f"-r {_LIST}"),
                ]
            case "poetry" if not self.pyproject.get("build-system"):
                return ["POETRY_VIRTUALENVS_IN_PROJECT=true uv tool run poetry install --no-root"]
            case "pdm" if source.has("pdm.lock"):
                export = "PDM_CHECK_UPDATE=false uv tool run pdm export --prod"
                written = f"--format requirements --output {_LIST}"
                return [f"{export} {written}{flag}", _pip_install(f"-r {_LIST}")]
            case "pipenv" if source.has("Pipfile.lock"):
                # `-i` names the public index that pipenv writes by itself; the server's own
                # configuration says which index it uses. A Pipfile with more sources keeps them.
                keep = "cat" if self._own_indexes() else "grep -v '^-i '"
                return [
                    f"uv tool run pipenv requirements --hash > {_LIST}.all",
                    f"{keep} < {_LIST}.all > {_LIST}",
                    _pip_install(f"-r {_LIST}"),
                ]
            case "pipenv":
                return ["PIPENV_VENV_IN_PROJECT=1 uv tool run pipenv install --skip-lock"]
            case None:
                return []
            case _:
                return self._plain_steps(flag)

    def _plain_steps(self, flag: str) -> list[str]:
        listed = self.source.first(*_REQUIREMENTS) if self.manager == "pip" else None
        if listed:
            return [_pip_install(f"-r {shlex.quote(listed)}")]
        if self.pyproject.get("build-system") or not self.pyproject:
            return [_pip_install(f"-e .{flag}")]
        return [_pip_install(f"-r pyproject.toml{flag}")]

    def _own_indexes(self) -> bool:
        sources = table(self.source.json("Pipfile.lock").get("_meta")).get("sources")
        return isinstance(sources, list) and len(sources) > 1  # pyright: ignore[reportUnknownArgumentType]

    def _main(self) -> list[Dependency]:
        source, found = self.source, list[Dependency]()
        project = table(self.pyproject.get("project"))
        found += _parsed(texts(project.get("dependencies")), "pyproject.toml")
        poetry = table(table(self.pyproject.get("tool")).get("poetry"))
        found += _parsed(_keys(poetry.get("dependencies")), "pyproject.toml")
        if source.has("Pipfile"):
            found += _parsed(_keys(source.toml("Pipfile").get("packages")), "Pipfile")
        for path in _REQUIREMENTS:
            if source.has(path):
                found += self._file(path, set())
        return [each for each in found if each.name != "python"]

    def _groups(self) -> list[Dependency]:
        found: list[Dependency] = []
        project, tool = table(self.pyproject.get("project")), table(self.pyproject.get("tool"))
        extras = table(project.get("optional-dependencies"))
        groups = table(self.pyproject.get("dependency-groups"))
        for name, listed in extras.items():
            found += _parsed(texts(listed), "pyproject.toml", f"--extra {shlex.quote(name)}")
        for name, listed in groups.items():
            found += _parsed(texts(listed), "pyproject.toml", f"--group {shlex.quote(name)}")
        for name, listed in table(table(tool.get("poetry")).get("group")).items():
            inner = table(table(listed).get("dependencies"))
            found += _parsed(list(inner), "pyproject.toml", f"--group {shlex.quote(name)}")
        for path in _DOCS:
            if self.source.has(path):
                found += [
                    Dependency(each.name, path, f"file:{path}") for each in self._file(path, set())
                ]
        return found

    def _file(self, path: str, seen: set[str]) -> list[Dependency]:
        """A requirements file and those it includes; a circle of them ends."""
        if path in seen or len(seen) > 20 or not self.source.has(path):
            return []
        seen.add(path)
        found: list[Dependency] = []
        for line in self.source.text(path).splitlines():
            included = _INCLUDE.match(line)
            if included:
                folder = path.rpartition("/")[0]
                inner = normal(join(folder, included[1]) if ".." not in included[1] else "")
                found += self._file(inner or "", seen)
            elif not line.lstrip().startswith(("#", "-")):
                found += _parsed([line], path)
        return found


def _pip_install(what: str) -> str:
    return f"uv pip install --python .venv --compile-bytecode {what}"


def _parsed(lines: list[str], place: str, group: str = "") -> list[Dependency]:
    found: list[Dependency] = []
    for line in lines:
        match = _NAME.match(line)
        if match is None:
            continue
        name = canonical(match[1])
        found.append(Dependency(name, place, group))
        for extra in (match[2] or "").split(","):
            brought = _BRINGS.get((name, extra.strip().lower()))
            if brought:
                found.append(Dependency(brought, place, group))
    return found


def _keys(value: object) -> list[str]:
    """Poetry's and Pipfile's `name = {extras = ["standard"]}` as `name[standard]`."""
    found: list[str] = []
    for name, wanted in table(value).items():
        extras = texts(table(wanted).get("extras"))
        found.append(f"{name}[{','.join(extras)}]" if extras else name)
    return found
