"""Turns what the user points at (folder, archive, repository) into a source on the server."""

import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from windlass.cli import files, hashing, localgit, upload
from windlass.cli.amounts import seconds, size_text
from windlass.cli.client import ApiError
from windlass.cli.errors import CliError, Failed
from windlass.cli.progress import Progress
from windlass.cli.schemas import Problem, Source
from windlass.cli.session import Session, plain

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz")


class NoSuchPath(CliError):
    """{path} does not exist."""


class NotDeployable(CliError):
    """{path} is neither a folder nor an archive."""

    fix = "Archives end in .zip, .tar, .tar.gz or .tar.xz."


class TooMuch(CliError):
    """{path} looks like a whole home directory or disk, not like a project."""

    fix = "Go to the project's folder. If you mean it, say --yes."


class TooLarge(CliError):
    """{message}"""

    def more(self, verbose: bool) -> list[str]:
        return [str(self.facts["facts"]), f"The largest files: {self.facts['largest']}"]

    @property
    def code(self) -> str:
        return "PAYLOAD_TOO_LARGE"

    fix = "Name what is not needed in .windlassignore."


class Origin(msgspec.Struct, kw_only=True):
    """`name` is what a new project would be called, `folder` the one that may be linked."""

    name: str
    folder: Path | None = None
    archive: Path | None = None
    repository_url: str | None = None
    branch: str | None = None
    image: str | None = None


class Ready(msgspec.Struct):
    source: Source
    commit: Mapping[str, str]


def of_options(path: Path | None, git: str | None, branch: str | None, *, yes: bool) -> Origin:
    """What a command that only looks was pointed at. Raises UsageError, and as `of_path` does."""
    if git is not None and path is not None:
        raise click.UsageError("Give a PATH or --git URL, not both.")
    if branch is not None and git is None:
        raise click.UsageError("--branch belongs to --git.")
    if git is not None:
        return of_repository(git, branch, yes=yes)
    return of_path(path or Path(), yes=yes)


def of_path(path: Path, *, yes: bool) -> Origin:
    """Raises NoSuchPath, NotDeployable, TooMuch."""
    if path.is_dir():
        folder = path.resolve()
        home = Path.home().resolve()
        if not yes and (folder == home or folder in home.parents):
            raise TooMuch(path=folder)
        return Origin(name=folder.name, folder=folder)
    if not path.exists():
        raise NoSuchPath(path=path)
    ending = next((end for end in ARCHIVES if path.name.lower().endswith(end)), None)
    if ending is None or not path.is_file():
        raise NotDeployable(path=path)
    return Origin(name=path.name[: -len(ending)], archive=path)


def of_repository(url: str, branch: str | None, *, yes: bool) -> Origin:
    """A URL is for the server to fetch; a repository on this machine is uploaded."""
    local = Path(url).expanduser()
    if not local.is_dir():
        return Origin(name=repository_name(url), repository_url=url, branch=branch)
    if branch is None and not localgit.is_bare(local):
        return of_path(local, yes=yes)
    name = repository_name(str(local.resolve()))
    return Origin(name=name, folder=local.resolve(), branch=branch or "HEAD")


def of_image(name: str) -> Origin:
    """An image that a registry has; a project is called by its last word."""
    last = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return Origin(name=last, image=name)


def repository_name(url: str) -> str:
    """The last word of `https://host/me/shop.git` or `git@host:me/shop`: shop."""
    words = [word for word in re.split(r"[/:]", url.split("?")[0]) if word]
    return words[-1].removesuffix(".git") if words else ""


def send(session: Session, origin: Origin) -> Ready:
    """Uploads, or has the server fetch. The source is `ready` when this returns."""
    if origin.image:
        return Ready(_checked(session, session.api.create_image_source(origin.image)), {})
    if origin.repository_url:
        return Ready(_fetched(session, origin.repository_url, origin.branch), {})
    if origin.archive:
        return Ready(_sent_archive(session, origin.archive), {})
    if origin.folder and origin.branch:
        with tempfile.TemporaryDirectory(prefix="windlass-") as scratch:
            archive = Path(scratch) / f"{origin.name}.tar.gz"
            branch = None if origin.branch == "HEAD" else origin.branch
            commit = localgit.export(origin.folder, branch, archive)
            return Ready(_sent_archive(session, archive), commit)
    folder = origin.folder or Path.cwd()
    return Ready(_sent_folder(session, folder, origin.name), localgit.commit_of(folder))


def problem(found: str | Problem | None) -> str:
    """One line of an error in a source."""
    text = found.message if isinstance(found, Problem) else found
    return plain(text or "The server gave no reason.")


def _sent_folder(session: Session, folder: Path, name: str) -> Source:
    started = time.monotonic()
    found = files.find(folder)
    if found.environments:
        left_out = ", ".join(map(plain, found.environments[:3]))
        session.say(f"Left out: {left_out} (`windlass env set` gives secrets to the server).")
    hashing.fill(folder, found.files)
    total = sum(file.size for file in found.files)
    try:
        with Progress(session) as progress:
            source, sent = upload.folder(session.api, name or "files", found.files, progress)
    except ApiError as error:
        if error.status != 413:
            raise
        raise _too_large(error, found.files) from error
    took = seconds(time.monotonic() - started)
    amount = f"{size_text(sent.bytes)} of {size_text(total)}"
    session.say(f"Uploaded {sent.files} of {len(found.files)} files ({amount}) in {took}.")
    return _checked(session, source)


def _sent_archive(session: Session, path: Path) -> Source:
    with Progress(session) as progress:
        source = upload.archive(session.api, path, progress)
    session.say(f"Uploaded {plain(path.name)} ({size_text(path.stat().st_size)}).")
    return _checked(session, source)


def _fetched(session: Session, url: str, branch: str | None) -> Source:
    session.say(f"Fetching {plain(url)}{f' ({plain(branch)})' if branch else ''}.")
    return _checked(session, session.api.create_git_source(url, branch))


def _checked(session: Session, source: Source) -> Source:
    """Waits until the server is done with it. Raises Failed with the server's reason."""
    pause = 0.05
    while source.status == "pending":
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
        source = session.api.source(source.id)
    if source.status == "error":
        raise Failed(reason=problem(source.error))
    return source


def _too_large(error: ApiError, found: list[files.LocalFile]) -> TooLarge:
    largest = sorted(found, key=lambda file: file.size, reverse=True)[:3]
    told = error.facts_of_size()
    total = f"this folder: {len(found)} files, {size_text(sum(file.size for file in found))}"
    return TooLarge(
        message=error.message,
        facts="; ".join([*told, total]),
        largest=", ".join(f"{plain(file.path)} ({size_text(file.size)})" for file in largest),
    )
