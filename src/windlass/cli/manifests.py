"""Which files hold Kubernetes objects, and what they are to be checked for.

What belongs to other programs is left alone: values and templates of a Helm chart (render it
first), kustomizations, and documents without `apiVersion` and `kind`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from windlass.cli.errors import CliError

if TYPE_CHECKING:
    from windlass.charts.checks.engine import Options
    from windlass.charts.schemas import Schemas

Function = TypeVar("Function", bound=Callable[..., None])
PROFILES = ("baseline", "restricted", "production", "lab")

ENDINGS = (".yaml", ".yml", ".json")
OTHERS = frozenset(
    (
        "Chart.yaml",
        "Chart.lock",
        "values.yaml",
        "values.schema.json",
        "kustomization.yaml",
        "kustomization.yml",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
    )
)


# What is no UTF-8 is kept as it is: reading it as YAML says where it stands.
BROKEN = "surrogateescape"


class CannotCheck(CliError):
    """{reason}"""

    exit_code = 2


class Given:
    """The texts that were found, and charts whose templates were passed over."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.charts: list[str] = []


def collect(paths: Iterable[str]) -> Given:
    """Reads files as they are and folders for what is Kubernetes'. Raises CannotCheck."""
    try:
        return _collected(paths)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror or error}"
        raise CannotCheck(reason=reason) from error


def _collected(paths: Iterable[str]) -> Given:
    given = Given()
    for name in paths:
        if name == "-":
            given.texts["stdin"] = sys.stdin.buffer.read().decode("utf-8-sig", BROKEN)
            continue
        path = Path(name)
        if not path.is_dir():
            given.texts[name] = path.read_bytes().decode("utf-8-sig", BROKEN)
            continue
        for file in _walk(path, given):
            text = file.read_bytes().decode("utf-8-sig", BROKEN)
            if "apiVersion" in text and "kind" in text:
                given.texts[str(file)] = text
    return given


def _walk(folder: Path, given: Given) -> Iterator[Path]:
    is_chart = (folder / "Chart.yaml").is_file()
    if is_chart:
        given.charts.append(str(folder))
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir():
            if not (is_chart and entry.name == "templates") and entry.name != "node_modules":
                yield from _walk(entry, given)
        elif entry.name.endswith(ENDINGS) and entry.name not in OTHERS:
            yield entry


# -- what `check` and `fix` share ------------------------------------------------------------------


def chosen(function: Function) -> Function:
    """The options that say which rules run, and for which cluster."""
    for option in (
        _many("--openapi", "FILE", "The text of a cluster's /openapi/v3/… with more kinds."),
        _many("--crds", "PATH", "CustomResourceDefinitions of more kinds."),
        _many("--registry", "NAME", "A trusted registry; images of others are found."),
        click.option("-n", "--namespace", default="", help="Where objects go that name none."),
        click.option("--all", "everything", is_flag=True, help="Run the optional rules as well."),
        _many("--skip", "RULE", "Leave out a rule."),
        _many("--rule", "RULE", "Run this rule and no others."),
        click.option("--kubernetes", metavar="VERSION", default="", help="Default: the newest."),
        click.option(
            "--profile",
            type=click.Choice(PROFILES),
            default="baseline",
            show_default=True,
            help="How severe: for every application, hardened, made to last, to try things.",
        ),
    ):
        function = option(function)
    return function


def _many(name: str, metavar: str, text: str) -> Callable[[Function], Function]:
    return click.option(name, metavar=metavar, multiple=True, help=f"{text} May be repeated.")


def options_of(given: dict[str, object]) -> "tuple[Options, Schemas | None]":
    """The settings of a check from the command line. Raises CannotCheck."""
    from windlass.charts import schemas
    from windlass.charts.checks.engine import Options
    from windlass.charts.checks.rule import Profile

    def words(name: str) -> tuple[str, ...]:
        value = given[name]
        return tuple(map(str, value)) if isinstance(value, tuple) else ()

    options = Options(
        profile=Profile(str(given["profile"])),
        kubernetes=str(given["kubernetes"]),
        only=frozenset(words("rule")),
        without=frozenset(words("skip")),
        with_optional=bool(given["everything"]),
        namespace=str(given["namespace"]),
        registries=words("registry"),
    )
    try:
        known = schemas.of(options.kubernetes or schemas.newest())
        return options, _with_more(known, words("crds"), words("openapi"))
    except (schemas.UnknownVersion, schemas.UnreadableSchema) as error:
        raise CannotCheck(reason=error) from error


def _with_more(
    known: "Schemas", crds: tuple[str, ...], documents: tuple[str, ...]
) -> "Schemas | None":
    from windlass.charts import schemas
    from windlass.charts.documents import Unreadable, load

    if not crds and not documents:
        return None
    for file, text in collect(crds).texts.items():
        try:
            read = load(text, file)
        except Unreadable as error:
            raise CannotCheck(reason=error) from error
        known = known.with_added(schemas.from_definitions(one.data for one in read))
    for text in collect(documents).texts.values():
        known = known.with_added(schemas.from_openapi(text))
    return known
