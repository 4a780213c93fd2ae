"""Which project a command means: the one it names, or the one this folder is linked to."""

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

import msgspec

from windlass.cli.api import Api
from windlass.cli.client import ApiError
from windlass.cli.credentials import replace
from windlass.cli.errors import BadFile, NoProject, NoSlug, StaleLink, UnknownProject
from windlass.cli.schemas import Project

LONGEST_SLUG = 63


class Link(msgspec.Struct, frozen=True, rename="camel"):
    """.windlass/project.json."""

    project_id: str
    slug: str
    server: str = ""


class Linked(NamedTuple):
    link: Link
    file: Path


def data_folder(folder: Path) -> Path:
    return folder / ".windlass"


def make_data_folder(folder: Path) -> Path:
    """Creates `.windlass` with a .gitignore of its own: it belongs to one checkout only."""
    made = data_folder(folder)
    made.mkdir(exist_ok=True)
    ignore = made / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return made


def link_file(folder: Path) -> Path:
    return data_folder(folder) / "project.json"


def find_link(folder: Path) -> Linked | None:
    """The link of this folder or of the nearest one above it. Raises BadFile."""
    start = folder.resolve()
    for candidate in (start, *start.parents):
        path = link_file(candidate)
        try:
            return Linked(msgspec.json.decode(path.read_bytes(), type=Link), path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        except OSError as error:
            raise BadFile(path=path, reason=error.strerror) from error
        except msgspec.MsgspecError as error:
            raise BadFile(path=path, reason=error) from error
    return None


def write_link(folder: Path, project: Project, *, server: str) -> None:
    """Ties the folder to the project. Raises OSError where the folder cannot be written."""
    make_data_folder(folder)
    link = Link(project_id=project.id, slug=project.slug, server=server)
    replace(link_file(folder), msgspec.json.encode(link) + b"\n", mode=0o644)


def named(api: Api, name: str) -> Project:
    """The project with this id, slug or name. Raises UnknownProject."""
    found = lookup(api, name)
    if found is None:
        raise UnknownProject(name=name, server=api.url)
    return found


def lookup(api: Api, name: str) -> Project | None:
    """The project with this id, slug or name, if there is one."""
    try:
        if name.startswith("proj_"):
            return api.project(name)
        slug = slugify(name)
        return api.project_by_slug(slug) if slug else None
    except ApiError as error:
        if error.status != 404:
            raise
    # A renamed project has a slug that its name does not tell.
    return next((project for project in api.projects() if project.name == name), None)


def of_link(api: Api, linked: Linked) -> Project:
    """The linked project. Raises StaleLink when this server does not have it."""
    try:
        return api.project(linked.link.project_id)
    except ApiError as error:
        if error.status != 404:
            raise
        name = linked.link.slug
        raise StaleLink(path=linked.file, name=name, server=api.url) from error


def chosen(api: Api, name: str | None, *, folder: Path | None = None) -> Project:
    """The project named with --project, else the linked one. Raises NoProject."""
    if name:
        return named(api, name)
    linked = find_link(folder or Path.cwd())
    if linked is None:
        raise NoProject
    return of_link(api, linked)


def slug_of(name: str) -> str:
    """The name as a slug. Raises NoSlug when nothing is left of it."""
    slug = slugify(name)
    if not slug:
        raise NoSlug(name=name)
    return slug


def slugify(name: str) -> str:
    """Lower-case ASCII letters, digits and single hyphens, at most 63: one DNS label (RFC 1035)."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters)[:LONGEST_SLUG].strip("-")
