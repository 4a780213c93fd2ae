"""A folder of files that is the site already: nothing is installed, nothing is run."""

from windlass.builds.detect.source import Source
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_FOLDERS = (".", "public", "dist", "build", "out", "_site", "site", "www", "html", "docs")


def static(source: Source) -> Plan | None:
    """The first folder with an index.html; without one, the first with any page."""
    index = next((folder for folder in _FOLDERS if source.has(_in(folder, "index.html"))), None)
    folder = index or next((folder for folder in _FOLDERS if _pages(source, folder)), None)
    if folder is None:
        return None
    page = _in(folder, "index.html") if index else _pages(source, folder)[0]
    warnings: list[str] = []
    if not index:
        warnings.append(N_("No index.html: the address of the site itself will answer 404."))
    if folder == "." and source.has("package.json"):
        warnings.append(
            N_(
                "package.json has neither a `build` nor a `start` script: it is taken for tooling,"
                " and the root directory is published as it is."
            )
        )
    return Plan(
        framework="static",
        label=N_("Static files"),
        kind="static",
        root_directory=source.root,
        output_directory=folder,
        evidence=(
            N_("{file}: a page, and nothing that builds it").format(file=source.named(page)),
        ),
        warnings=tuple(warnings),
    )


def _in(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _pages(source: Source, folder: str) -> list[str]:
    prefix = "" if folder == "." else f"{folder}/"
    below = [path for path in source.files if path.startswith(prefix)]
    return [path for path in below if path.endswith(".html") and "/" not in path[len(prefix) :]]
