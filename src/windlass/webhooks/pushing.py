"""Plain Git push: what is pushed to a project's own address is deployed while Git waits.

The branch of the project goes to production, every other one becomes a preview; `git push -o`
takes `production`, `preview` and `clean`. A reference moves when its deployment is live, so the
same commit can be pushed again after a build that failed.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters import git_protocol
from windlass.adapters.git import Fetched
from windlass.adapters.git_protocol import NOTHING, Command
from windlass.adapters.git_receive import Kept
from windlass.auth.models import Actor
from windlass.builds import service as builds
from windlass.builds import sources, uids
from windlass.builds.models import SourceKind
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.db import Database
from windlass.core.errors import AppError, NotFound
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import listing, starting, streams
from windlass.deployments.models import Deployment
from windlass.deployments.schemas import DeploymentCreate, DeploymentOut
from windlass.projects.models import Project
from windlass.projects.names import check_branch

_MOST_BRANCHES = 3
_OPTIONS = {"production", "preview", "clean"}
# Colours may pass to a terminal; everything else that moves or retitles it may not.
_ESCAPE = re.compile(r"\x1b(?!\[[0-9;]*m)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
_SAYS_WHY = {"cancelled": "The deployment was cancelled", "error": "The deployment failed"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the commands of a push before anything of it is read."""

    commits: dict[str, str]
    """The commit of each branch that shall be deployed."""
    removed: tuple[str, ...]
    results: dict[str, str | None]


def kept_of(settings: Settings, project: Project) -> Kept:
    """What is here of earlier pushes; one of the project's caches, and gone with them."""
    folder = settings.folder / "caches" / ids.public("proj", project.id) / "git"
    return Kept(folder, uids.of_project(settings, project.number))


def sorted_out(commands: tuple[Command, ...], options: tuple[str, ...]) -> Asked:
    """Which commits are deployed, which references go, what is refused and why."""
    commits: dict[str, str] = {}
    removed: list[str] = []
    results: dict[str, str | None] = {}
    unknown = next((option for option in options if option not in _OPTIONS), None)
    for command in commands:
        if unknown is not None:
            why = f"there is no push option {unknown!r}; known are: {', '.join(sorted(_OPTIONS))}"
        elif (why := _refusal(command)) is None and command.new == NOTHING:
            removed.append(command.ref)
        elif why is None and len(commits) == _MOST_BRANCHES:
            why = f"at most {_MOST_BRANCHES} branches are deployed by one push"
        elif why is None:
            commits[command.branch or ""] = command.new
            continue
        results[command.ref] = why
    return Asked(commits=commits, removed=tuple(removed), results=results)


def _refusal(command: Command) -> str | None:
    if command.branch is None:
        return "only branches are deployed; push the commit as a branch"
    try:
        check_branch(command.branch)
    except AppError:
        return "a branch of that name is not deployed"
    return None


async def deploy(
    db: AsyncSession,
    project: Project,
    found: Fetched,
    options: tuple[str, ...],
    *,
    store: BlobStore,
    base_domain: str,
    by: Actor,
) -> Deployment:
    """Queue what one branch holds now."""
    sha256 = await asyncio.to_thread(sources.save_manifest, store, found.manifest)
    source = await builds.create_ready(
        db,
        found.manifest,
        sha256,
        kind=SourceKind.git,
        name=None,
        branch=found.branch,
        commit_sha=found.commit_sha,
        commit_message=found.commit_message,
        by=by,
    )
    is_production = "production" in options or (
        found.branch == project.repository_branch and "preview" not in options
    )
    wanted = DeploymentCreate(
        project_id=ids.public("proj", project.id),
        source_id=ids.public("src", source.id),
        branch=found.branch,
        production=is_production,
    )
    return await starting.deploy(
        db, project, wanted, is_clean="clean" in options, base_domain=base_domain, by=by
    )


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """Where the answer to a push looks while it lasts."""

    database: Database
    settings: Settings
    live: Live
    by: Actor

    async def told(
        self, kept: Kept, started: Mapping[str, tuple[UUID, str]], results: dict[str, str | None]
    ) -> AsyncGenerator[bytes]:
        """The logs of the deployments as Git's progress, one after the other, then the report.

        `started`: the deployment and the commit of each branch.
        """
        for branch, (id, commit) in started.items():
            ref = f"refs/heads/{branch}"
            panel = f"{self.settings.panel_url}/deployments/{ids.public('depl', id)}"
            yield git_protocol.progress(f"Windlass deploys {branch} at {commit[:7]}: {panel}\n")
            shape: DeploymentOut | None = None
            try:
                news = streams.follow(
                    self.database, self.settings, self.live, id, after=0, by=self.by
                )
                async with aclosing(news):
                    async for found in news:
                        if found is None:
                            yield git_protocol.progress("")
                        elif isinstance(found, msgspec.Raw):
                            shape = listing.read(found)
                        else:
                            lines = (f"  {_plain(line.message)}\n" for line in found)
                            yield git_protocol.progress("".join(lines))
            except NotFound:
                shape = None
            results[ref] = _why_not(shape)
            if shape is not None and results[ref] is None:
                await asyncio.to_thread(kept.move, ref, commit)
                yield git_protocol.progress(f"Live: {shape.url or 'its workers run'}\n")
        yield git_protocol.report(results, banded=True)


def _why_not(shape: DeploymentOut | None) -> str | None:
    """None where it is live."""
    if shape is None:
        return "the deployment was deleted"
    if shape.status == "ready":
        return None
    return shape.error_message or _SAYS_WHY.get(shape.status, shape.status)


def _plain(text: str) -> str:
    return _CONTROL.sub("", _ESCAPE.sub("", text))
