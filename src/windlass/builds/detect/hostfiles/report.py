"""What one file of another host says, in our terms, and a row for everything that it says."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, cast

import msgspec
from msgspec.structs import asdict, replace

from windlass.builds.detect.source import table, texts
from windlass.builds.paths import plain, problem_with
from windlass.builds.windlass_toml import ProcessToml, over
from windlass.core.languages import N_
from windlass.core.rules import HeaderRule, Rule

Verdict = Literal["exact", "adapted", "impossible"]
_MOST_ROWS = 60
_LONGEST_DETAIL = 300
_LONGEST_COMMAND = 4_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HEALTH = re.compile(r"/[!-~]{0,499}")
# Rows that differ in their number alone are of one kind: `redirects[7]`, `line 7`.
_NUMBERED = re.compile(r"\[| \d")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_PROCESS = re.compile(r"[A-Za-z0-9_-]{1,63}")
_INSTALLS = re.compile(
    r"(npm (install|ci|i)|yarn( install)?|pnpm (install|i)|bun install|bundle install"
    r"|(python3? -m )?pip3? install|poetry install|pipenv install|uv (sync|pip install))( .*)?"
)

# What a process can be given here at all.
_BOUNDS = {"memory_mb": (32.0, 1048576.0), "cpus": (0.05, 256.0), "grace_seconds": (0.0, 120.0)}


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One setting of a file: `exact` does here what it did there, `adapted` nearly, with the
    difference in `detail`, `impossible` nothing, with the reason."""

    file: str
    key: str
    verdict: Verdict
    detail: str = ""


class Variable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A variable that a file names. `value` is None when somebody has to give it."""

    name: str
    file: str
    value: str | None = None
    detail: str = ""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a file that a plan has, too. None: not said; "": none."""

    root_directory: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    health_path: str | None = None
    start_timeout_seconds: float | None = None
    port: int | None = None
    clean_urls: bool | None = None
    env: dict[str, str] = {}
    processes: dict[str, str | ProcessToml] = {}

    def toml(self) -> str:
        """The same as a windlass.toml; nothing when nothing is wished for."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        env, processes = said.pop("env"), said.pop("processes")
        lines = [f"{name} = {_toml(value)}" for name, value in said.items()]
        plain = {name: each for name, each in processes.items() if isinstance(each, str)}
        tables = {f"processes.{k}": asdict(v) for k, v in processes.items() if k not in plain}
        for title, values in (("env", env), ("processes", plain), *tables.items()):
            given = {name: value for name, value in values.items() if value is not None}
            if given:
                lines += ["", f"[{title}]"]
                lines += [f"{name} = {_toml(value)}" for name, value in given.items()]
        return "\n".join(lines).strip() + "\n" if lines else ""


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What files of other hosts say, row by row."""

    files: tuple[str, ...]
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    toml: str = ""
    """The settings as a windlass.toml, for who wants to leave those files behind."""


class Refused(Exception):
    """Something of a file cannot be done here; the text says why, as a clause."""


class Reader:
    """Collects what a file says while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows: list[Row] = []
        self.rules: list[Rule] = []
        self.headers: list[HeaderRule] = []
        self.variables: list[Variable] = []
        self.wishes = Wishes()
        self.trailing_slash: bool | None = None
        self._counts: dict[tuple[str, Verdict], int] = {}

    def exact(self, key: str, detail: str = "") -> None:
        self._row(key, "exact", detail)

    def adapted(self, key: str, detail: str) -> None:
        self._row(key, "adapted", detail)

    def impossible(self, key: str, detail: str) -> None:
        self._row(key, "impossible", detail)

    def wish(self, **said: object) -> None:
        """Settings for the plan."""
        self.wishes = replace(self.wishes, **said)

    def command(self, field: str, key: str, value: object) -> None:
        """A command that the plan has, too; None says nothing, an empty one says: none."""
        if value is None:
            return
        text = " && ".join(texts(value)) if isinstance(value, list) else value
        if not isinstance(text, str) or len(text) > _LONGEST_COMMAND or _CONTROL.search(text):
            self.impossible(key, N_("it is no command of a sane length"))
            return
        kept = _without_install(text) if field == "build_command" else text
        if kept == text:
            self.wish(**{field: text})
            self.exact(key, text)
        elif kept:
            self.wish(**{field: kept})
            self.adapted(
                key,
                N_("{command} (what is installed is seen in the manifests)").format(command=kept),
            )
        else:
            self.adapted(key, N_("what is installed is seen in the manifests"))

    def process(self, key: str, name: str, command: object) -> None:
        """A process that runs beside the server."""
        if not isinstance(command, str) or not command.strip() or len(command) > _LONGEST_COMMAND:
            self.impossible(key, N_(N_("it is no command of a sane length")))
        elif _CONTROL.search(command) or not _PROCESS.fullmatch(name) or name in ("web", "release"):
            self.impossible(key, N_("it is no name or no command"))
        else:
            below = self.wishes.processes.get(name)
            said = command.strip()
            made = replace(below, command=said) if isinstance(below, ProcessToml) else said
            self.wish(processes={**self.wishes.processes, name: made})
            self.exact(key, said)

    def limit(self, key: str, names: Sequence[str], field: str, value: object) -> None:
        """A limit of processes, or what is done when they end. Too much becomes the most."""
        bounds = _BOUNDS.get(field)
        if bounds is None:
            said = {field: value}
        elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            number = min(max(float(value), bounds[0]), bounds[1])
            said = {field: int(number) if field == "memory_mb" else number}
            if number != value:
                self.adapted(key, f"{field} = {said[field]:g}")
        else:
            self.impossible(key, N_("it is no number"))
            return
        for name in names:
            made = over({name: msgspec.convert(said, ProcessToml)}, self.wishes.processes)
            self.wish(processes=made)
        if said[field] == value:
            self.exact(key, f"{field} = {value}")

    def instances(self, key: str, number: object) -> None:
        """How many of it run: one of each kind does here."""
        if number == 1:
            self.exact(key)
        else:
            self.impossible(key, N_("one process of each kind runs here"))

    def timeout(self, key: str, seconds: object) -> None:
        """Within so long a new release has to be ready."""
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
            self.wish(start_timeout_seconds=min(max(float(seconds), 1.0), 900.0))
            self.exact(key, f"start_timeout_seconds = {self.wishes.start_timeout_seconds:g}")
        else:
            self.impossible(key, N_("it is no number"))

    def directory(self, field: str, key: str, value: object) -> None:
        """A folder of the source."""
        if value is None or value == "":
            return
        # `/dist` means a folder of the source there, never one of the machine.
        path = value.lstrip("/") or "." if isinstance(value, str) else ""
        problem = problem_with(path) if path else N_("It is no path.")
        if problem:
            self.impossible(key, problem)
            return
        self.wish(**{field: plain(path)})
        self.exact(key, plain(path))

    def health(self, key: str, value: object) -> None:
        """The path that must answer before the switch."""
        if isinstance(value, str) and _HEALTH.fullmatch(value):
            self.wish(health_path=value)
            self.exact(key, value)
        elif value is not None:
            self.impossible(key, N_("it is no path"))

    def port(self, key: str, value: object) -> None:
        """The port that the program listens on whatever $PORT says."""
        if isinstance(value, int) and not isinstance(value, bool) and 1024 <= value <= 65535:
            self.wish(port=value)
            self.exact(key, str(value))
        elif value is not None:
            self.impossible(key, N_("a program here listens on a port from 1024 to 65535"))

    def environment(self, key: str, values: object) -> None:
        """Variables with their values."""
        for name, value in table(values).items():
            text = str(value).lower() if isinstance(value, bool) else value
            if isinstance(text, int | float):
                text = str(text)
            if not _NAME.fullmatch(name) or not isinstance(text, str) or "\x00" in text:
                self.impossible(f"{key}.{name[:60]}", N_("it is no environment variable"))
            elif name == "PORT":
                self.adapted(f"{key}.PORT", N_("programs are told their port"))
            else:
                self.variable(name, text)
                self.exact(f"{key}.{name}")

    def each(
        self,
        values: Mapping[str, object],
        does: Mapping[str, Callable[[str, object], None]],
        cannot: Mapping[str, str],
        *,
        prefix: str = "",
    ) -> None:
        """Every key of an object: by its reader, or with its reason; "" is no news to anybody, nor
        is what stands there as nothing."""
        for name, value in values.items():
            key = f"{prefix}{name}"
            if value is None:
                continue
            if name in does:
                does[name](key, value)
            elif cannot.get(name) != "":
                self.impossible(key, cannot.get(name, N_("it is not known here")))

    def variable(self, name: str, value: str | None = None, detail: str = "") -> None:
        """A variable: one with a value is set for build and start, as windlass.toml's `env`."""
        self.variables.append(Variable(name=name, file=self.file, value=value, detail=detail))
        if value is not None:
            self.wish(env={**self.wishes.env, name: value})

    def count(self, key: str, number: int) -> None:
        """One row for many that are all done as they are."""
        if number:
            message = N_("1 rule") if number == 1 else N_("{number} rules")
            self.exact(key, message.format(number=number))

    def _row(self, key: str, verdict: Verdict, detail: str) -> None:
        kind = (_NUMBERED.split(key)[0], verdict)
        self._counts[kind] = seen = self._counts.get(kind, 0) + 1
        if seen > _MOST_ROWS:
            if seen == _MOST_ROWS + 1:
                text = N_("and more of the same; the first ones are listed")
                self.rows.append(Row(file=self.file, key=kind[0], verdict=verdict, detail=text))
            return
        if len(detail) > _LONGEST_DETAIL:
            detail = detail[:_LONGEST_DETAIL] + "…"
        self.rows.append(Row(file=self.file, key=key[:120], verdict=verdict, detail=detail))


def _without_install(command: str) -> str:
    """A build command of a host that has one step for both: the part after the installation.

    Here the build has no network, and the installation is kept while the lock file stays the same.
    """
    steps = [step.strip() for step in command.split("&&")]
    return " && ".join(step for step in steps if not _INSTALLS.fullmatch(step))


def _toml(value: object) -> str:
    """A JSON string is a TOML basic string, but for DEL, which no setting holds."""
    return json.dumps(value, ensure_ascii=False)


def listed(value: object) -> list[object]:
    """The items of a list; of anything else none."""
    return cast(list[object], value) if isinstance(value, list) else []


def word(value: object) -> str:
    """What stands there if it is a word or a number. YAML lets a few lines be a list of lists of
    lists that nobody could write out."""
    return str(value) if isinstance(value, str | int | float) else ""
