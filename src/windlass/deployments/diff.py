"""What differs between two deployments (C-128, E-18): commit, settings, files; never values."""

from windlass.core import ids
from windlass.core.manifest import Manifest
from windlass.deployments.models import Deployment
from windlass.deployments.schemas import Change, Diff


def between(
    before: Deployment | None,
    after: Deployment,
    files_before: Manifest,
    files_after: Manifest,
) -> Diff:
    """The changes from one to the other; without an earlier one the kind is "initial"."""
    if before is None:
        return Diff(kind="initial", compared_with=None)
    return Diff(
        kind="diff",
        compared_with=ids.public("depl", before.id),
        commits=_commit(before, after),
        files=_files(files_before, files_after),
        config=_config(before, after),
        build_time_seconds_delta=_delta(before.build_time_seconds, after.build_time_seconds),
        size_bytes_delta=(after.size_bytes or 0) - (before.size_bytes or 0),
    )


def _commit(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    if before.commit_sha == after.commit_sha:
        return ()
    return (
        Change(name="commit", kind="changed", before=before.commit_sha, after=after.commit_sha),
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
        elif was is not None and now is not None and was.sha256 != now.sha256:
            changes.append(Change(name=path, kind="changed", before=was.size, after=now.size))
    return tuple(changes)


def _config(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    old, new = before.settings, after.settings
    return tuple(
        Change(name=name, kind="changed", before=old.get(name), after=new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _delta(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 3)
