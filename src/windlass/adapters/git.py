"""Fetching a repository: Git runs inside the sandbox and reaches only what the egress allows."""

from pathlib import Path

import msgspec

from windlass.core.blobs import BlobStore
from windlass.core.egress import Egress
from windlass.core.manifest import DEFAULT_LIMITS, Manifest, TreeLimits

TIMEOUT_SECONDS = 120.0


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of a repository, its content stored."""

    manifest: Manifest
    commit_sha: str
    commit_message: str
    branch: str
    warnings: tuple[str, ...] = ()


async def fetch(
    url: str,
    branch: str | None,
    into: BlobStore,
    *,
    work: Path,
    uid: int | None,
    egress: Egress,
    keys: Path | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    limits: TreeLimits = DEFAULT_LIMITS,
) -> Fetched:
    """Clone the newest commit of `branch` (None: the default branch) below `work`, and clean up."""
    raise NotImplementedError


def check_url(url: str) -> str:
    """The URL, fit for Git: https, http, ssh or git@host:path, without credentials."""
    raise NotImplementedError


def check_branch(name: str) -> str:
    """The branch name, by the rules of git check-ref-format."""
    raise NotImplementedError
