"""When nothing was recognised: what was looked for, what is there, and what would help."""

from windlass.builds.detect import compose, nx
from windlass.builds.detect.candidates import best
from windlass.builds.detect.elsewhere import elsewhere
from windlass.builds.detect.packages import Package
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.scripts import commands, program
from windlass.builds.detect.source import Source
from windlass.builds.detect.syntax import PACKAGES
from windlass.builds.detect.workspaces import workspace_of
from windlass.builds.errors import NothingDetected, UnsupportedPlan
from windlass.builds.plan import Installed
from windlass.core.errors import AppError
from windlass.core.languages import N_

LOOKED_FOR = (
    "windlass.toml",
    N_("a Procfile with a web process"),
    N_("package.json with a `build` or `start` script, a known framework or a file that listens"),
    N_(
        "a Python web application (Flask, FastAPI, Starlette, Litestar, Django or any WSGI or ASGI)"
    ),
    "mkdocs.yml",
    N_("Sphinx's conf.py"),
    N_("a page (.html) at the top or in public, dist, build, out, _site, site, www, html or docs"),
)
_MARKERS = ("package.json", "pyproject.toml", "requirements.txt", "manage.py", "index.html")
_MOST_FOLDERS, _MOST_MEMBERS = 12, 100
_RUNNERS = frozenset(
    ["turbo", "nx", "lerna", "npm", "pnpm", "yarn", "bun", "wsrun", "concurrently"]
)


def refusal(source: Source, installed: Installed) -> AppError:
    """The error for a source without a plan."""
    folders = _folders_that_work(source, installed)
    hint = _root_directories(folders) if folders else _hint(source)
    sign = elsewhere(source)
    if sign:
        what, file = sign
        held = compose.report(source) if what == "a compose project" else None
        if held and not folders:
            hint = N_(
                "One project is one application here. {held} Say how it is built in a windlass.toml"
                " (build_command and output_directory, or start_command)."
            ).format(held=held)
        return UnsupportedPlan(what=what, evidence=file, hint=hint or _OWN_COMMANDS)
    return NothingDetected(
        looked_for="; ".join(LOOKED_FOR), found=_found(source), hint=hint or _OWN_COMMANDS
    )


_OWN_COMMANDS = N_(
    "Say how it is built in a windlass.toml (build_command and output_directory, or start_command)."
)


def _root_directories(folders: list[tuple[str, str]]) -> str:
    """With what each of them looks like."""
    message = N_("`{folder}` looks like {label}")
    listed = "; ".join(message.format(folder=folder, label=label) for folder, label in folders)
    return N_("In this source {folders}: set the root directory.").format(folders=listed)


def only_application(source: Source, installed: Installed) -> tuple[str, str] | None:
    """In the top of a workspace that is no application itself: the member to deploy and why.
    None when it is no such top. Raises NothingDetected that names them when there are several."""
    folders = nx.applications(source)
    if not folders:
        workspace = workspace_of(source)
        if workspace is None or not _is_only_a_top(source, installed):
            return None
        folders = [member.folder for member in workspace.members.values()]
    found: list[tuple[str, str]] = []
    for folder in folders[:_MOST_MEMBERS]:
        inner = source.at(folder)
        try:
            plan = None if _is_library(inner) else best(inner, None, installed)
        except AppError:
            continue
        if plan and plan.framework != "node-build":
            found.append((folder, plan.label))
    if len(found) > 1:
        raise _choice(source, found)
    return found[0] if found else None


def _is_only_a_top(source: Source, installed: Installed) -> bool:
    """Its scripts build members, and no framework of its own is recognised."""
    try:
        plan = best(source, None, installed)
    except AppError:
        return True
    if plan is None or plan.framework in ("node-build", "static"):
        return True
    words = (commands(Package(source).scripts, "start") or [[]])[-1]
    return plan.framework == "node" and program(words) in _RUNNERS


def _is_library(source: Source) -> bool:
    """A package for others: it says what it exports."""
    content = source.json("package.json") if source.has("package.json") else {}
    return bool({"exports", "types", "module"} & content.keys()) and not source.has("index.html")


def _choice(source: Source, folders: list[tuple[str, str]]) -> NothingDetected:
    return NothingDetected(
        looked_for=N_("one application; this is a workspace with several"),
        found=_found(source),
        hint=_root_directories(folders),
        choices=[{"rootDirectory": folder, "label": label} for folder, label in folders],
    )


def _found(source: Source) -> str:
    """The first names at the top, folders with a slash."""
    names = dict.fromkeys(
        f"{path.partition('/')[0]}/" if "/" in path else path for path in source.files
    )
    shown = [name[:60] for name in list(names)[:12]]
    more = f", … {len(names) - 12}" if len(names) > 12 else ""
    return f"{', '.join(shown)}{more}"


def _hint(source: Source) -> str:
    """The most likely reason."""
    if source.has("package.json"):
        return N_(
            "package.json has no `build` and no `start` script. Say how it is built in a"
            " windlass.toml (build_command and output_directory, or start_command)."
        )
    try:
        listed = Requirements(source).listed
    except AppError as error:
        return str(error)
    packages = [label for name, label in PACKAGES.items() if name in listed]
    if packages:
        return N_(
            "{name} is among the dependencies, but no module at its top level makes an application"
            " (`app = {name}()`). Say how it is built in a windlass.toml (build_command and"
            " output_directory, or start_command)."
        ).format(name=packages[0])
    return ""


def _folders_that_work(source: Source, installed: Installed) -> list[tuple[str, str]]:
    """Subfolders that have a plan of their own: a monorepo needs a root directory."""
    folders = sorted(
        {path.rpartition("/")[0] for path in source.files if path.endswith(_MARKERS)} - {""},
        key=lambda folder: (folder.count("/"), folder),
    )
    found: list[tuple[str, str]] = []
    for folder in [each for each in folders if each.count("/") < 3][:_MOST_FOLDERS]:
        try:
            plan = best(source.at(source.named(folder)), None, installed)
        except AppError:
            continue
        if plan:
            found.append((source.named(folder), plan.label))
    return found[:6]
