"""What differs between two deployments (C-128, E-18): commit, settings, files; never values."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.manifest import Manifest
from windlass.deployments import releases, service
from windlass.deployments.errors import DeploymentNotFound
from windlass.deployments.models import Deployment
from windlass.deployments.schemas import Change, Diff, DiffSummary
from windlass.projects import fingerprints

# What a build was made of, beside the settings that somebody wrote: detection decides it anew.
_PLANNED = (
    "framework",
    "kind",
    "runtime",
    "package_manager",
    "install_command",
    "build_command",
    "output_directory",
    "start_command",
    "release_command",
    "root_directory",
    "health_path",
    "start_timeout_seconds",
    "drain_seconds",
    "port",
)


async def of(
    db: AsyncSession, store: BlobStore, deployment: Deployment, other: str | None, *, by: Actor
) -> Diff:
    """What differs from the release before it, or from the one whose id is given."""
    if other is not None:
        id = ids.private("depl", other)
        before = await service.get(db, id, Permission.deploy_read, by=by)
        if before.project_id != deployment.project_id:
            raise DeploymentNotFound()
    else:
        before = await service.ready_before(db, deployment)
    files_before = await releases.manifest_of(store, before)
    files_after = await releases.manifest_of(store, deployment)
    # A hundred thousand files take a moment.
    return await asyncio.to_thread(between, before, deployment, files_before, files_after)


def between(
    before: Deployment | None,
    after: Deployment,
    files_before: Manifest,
    files_after: Manifest,
) -> Diff:
    """The changes from one to the other; without an earlier one the kind is "initial"."""
    if before is None:
        return Diff(kind="initial", compared_with=None, summary=DiffSummary())
    found = Diff(
        kind="diff",
        compared_with=ids.public("depl", before.id),
        commits=_commit(before, after),
        files=_files(files_before, files_after),
        config=_config(before, after),
        variables=_variables(before, after),
        variables_known=_marks(before) is not None and _marks(after) is not None,
        build_time_seconds_delta=_delta(before.build_time_seconds, after.build_time_seconds),
        size_bytes_delta=(after.size_bytes or 0) - (before.size_bytes or 0),
    )
    return msgspec.structs.replace(found, summary=_summary(found))


def short(diff: Diff) -> Diff:
    """Only how many, and not which."""
    return msgspec.structs.replace(diff, commits=(), files=(), config=(), variables=())


def _summary(diff: Diff) -> DiffSummary:
    kinds = Counter(change.kind for change in diff.files)
    return DiffSummary(
        commits=len(diff.commits),
        files_added=kinds["added"],
        files_changed=kinds["changed"],
        files_removed=kinds["removed"],
        config=len(diff.config),
        variables=len(diff.variables),
    )


def _commit(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    pairs = (
        ("commit", before.commit_sha, after.commit_sha),
        ("message", before.commit_message, after.commit_message),
        ("branch", before.branch, after.branch),
    )
    return tuple(
        Change(name=name, kind=_kind(old, new), before=old, after=new)
        for name, old, new in pairs
        if old != new
    )


def _files(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    old = {entry.path: entry for entry in before}
    new = {entry.path: entry for entry in after}
    changes: list[Change] = []
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was is None and now is not None:
            changes.append(Change(name=path, kind="added", after=now.size))
        elif now is None and was is not None:
            changes.append(Change(name=path, kind="removed", before=was.size))
        elif was is not None and now is not None and was != now:
            changes.append(Change(name=path, kind="changed", before=was.size, after=now.size))
    return tuple(changes)


def _config(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """The settings that somebody wrote, then what detection made of them and of the files."""
    # Of processes the plan tells what comes of settings and files together.
    settings = sorted((before.settings | after.settings).keys() - {"processes"})
    changes = _changed(before.settings, after.settings, settings)
    written = {change.name for change in changes}
    if before.plan is not None and after.plan is not None:
        names = [name for name in _PLANNED if name not in written]
        changes += _changed(_plan(before), _plan(after), names)
        old, new = _processes(before.plan), _processes(after.plan)
        changes += _changed(old, new, sorted(old | new))
    return changes


def _processes(plan: dict[str, Any]) -> dict[str, object]:
    """The command and the limits of each process, each under a name of its own."""
    commands: dict[str, object] = plan.get("processes") or {}
    limits: dict[str, dict[str, object]] = plan.get("processSettings") or {}
    found = {f"processes.{name}": command for name, command in commands.items()}
    for name, said in limits.items():
        for field, value in said.items():
            if value is not None and value != "always":
                found[f"processes.{name}.{field}"] = value
    return found


def _plan(deployment: Deployment) -> dict[str, object]:
    """The plan by the names that settings have."""
    plan = deployment.plan or {}
    return {name: plan.get(_camel(name)) for name in _PLANNED}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _changed(
    old: dict[str, object], new: dict[str, object], names: Sequence[str]
) -> tuple[Change, ...]:
    return tuple(
        Change(
            name=name,
            kind=_kind(old.get(name), new.get(name)),
            before=_plain(old.get(name)),
            after=_plain(new.get(name)),
        )
        for name in names
        if old.get(name) != new.get(name)
    )


def _kind(old: object, new: object) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _variables(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """Which names differ; whether a value does is told by its keyed hash."""
    return changes_of(fingerprints.between(_marks(before), _marks(after)))


def changes_of(found: Mapping[str, str]) -> tuple[Change, ...]:
    """Names and what became of them."""
    return tuple(Change(name=name, kind=kind) for name, kind in found.items())


def _marks(deployment: Deployment) -> dict[str, str] | None:
    """Of the release that production serves or served of it, where that is another one."""
    was_live = deployment.is_active or deployment.promoted_at is not None
    if was_live and deployment.live_variables is not None:
        return deployment.live_variables
    return deployment.variables


def _delta(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 3)
