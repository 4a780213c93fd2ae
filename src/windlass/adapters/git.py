"""Fetching a repository: Git runs inside the sandbox and reaches only what the egress allows."""

import asyncio
import contextlib
import re
import secrets
import shutil
from pathlib import Path

import msgspec

from windlass.adapters import git_errors, git_ssh
from windlass.adapters.git_box import Box
from windlass.adapters.git_names import (
    GitAddressRefused,
    Remote,
    check_branch,
    check_url,
    parse_url,
)
from windlass.core import trees
from windlass.core.blobs import BlobStore
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.manifest import DEFAULT_LIMITS, Manifest, TreeLimits, shown

__all__ = ["TIMEOUT_SECONDS", "Fetched", "check_branch", "check_url", "fetch"]

TIMEOUT_SECONDS = 120.0

_BRANCHES_NAMED = 10
# How far back a commit is looked for where the host gives no single ones.
_DEPTH = 500
_WHOLE = (40, 64)
_POINTER = b"version https://git-lfs.github.com/spec/v1"
_HEAD_LINE = re.compile(
    r"^windlass-head ([0-9a-f]{40}(?:[0-9a-f]{24})?) ([^\n]*)\n([^\n]*)", re.MULTILINE
)


class Pin(msgspec.Struct, frozen=True):
    """A commit that is wanted, whatever its branch points to by now.

    `sha` may be the first letters of it, where that is all that is known; `ref` is where it can be
    found when it is no branch.
    """

    sha: str
    ref: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{7,64}", self.sha):
            raise ValueError(f"not a commit: {self.sha!r}")


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
    pin: Pin | None = None,
    keys: Path | None = None,
    deploy_key: bytes | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    limits: TreeLimits = DEFAULT_LIMITS,
) -> Fetched:
    """Store the newest commit of `branch` (None: the default branch), or the one of the pin.

    `work`: a folder of ours to clone in, cleaned up however it ends. `uid`: the user that Git runs
    as. `keys`: where `ssh_ed25519` and `known_hosts` lie; `deploy_key` is a private key that counts
    before the one there. Submodules and LFS content are not fetched, `warnings` says so. Raises
    the errors of git_names, git_errors and manifest.
    """
    remote = parse_url(url, allow=egress.policy.addresses)
    guarded = _egress_for(remote, egress)
    # Where there is a ref, the branch is only what people call it.
    if (name := pin.ref if pin is not None and pin.ref else branch) is not None:
        check_branch(name)
    if shutil.which("git") is None:
        raise git_errors.GitMissing
    is_ours = not await asyncio.to_thread(work.exists)
    folder = work / f"clone-{secrets.token_hex(6)}"
    clone = _Clone(remote, folder, uid=uid, egress=guarded, seconds=timeout_seconds, limits=limits)
    try:
        await asyncio.to_thread(clone.prepare, keys, deploy_key)
        await (clone.download(branch) if pin is None else clone.pick(pin, branch))
        sha, message, current = await clone.head(branch)
        if keys is not None:
            await asyncio.to_thread(git_ssh.remember, folder, keys, remote)
        manifest = await asyncio.to_thread(
            into.scan,
            folder / "app/repo",
            within=folder,
            ignore=[".git"],
            max_files=limits.files,
            max_bytes=limits.total_bytes,
            max_file_bytes=limits.file_bytes,
        )
        warnings = await asyncio.to_thread(warnings_of, manifest, into)
    finally:
        await asyncio.shield(asyncio.to_thread(_clean, folder, is_ours=is_ours))
    return Fetched(
        manifest=manifest,
        commit_sha=sha,
        commit_message=message,
        branch=current,
        warnings=warnings,
    )


def _clean(folder: Path, *, is_ours: bool) -> None:
    """Remove the clone, and the folder around it when we made that too."""
    trees.remove_tree(folder)
    if is_ours:
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


class _Clone(Box):
    """One clone on its way: what it is of."""

    def __init__(
        self,
        remote: Remote,
        folder: Path,
        *,
        uid: int | None,
        egress: Egress,
        seconds: float,
        limits: TreeLimits,
    ) -> None:
        super().__init__(folder, uid=uid, egress=egress, seconds=seconds, limits=limits)
        self.remote = remote

    def prepare(self, keys: Path | None, deploy_key: bytes | None) -> None:
        """The folders: ours outside, Git's inside."""
        self.make()
        if self.remote.scheme == "ssh":
            binds, env = git_ssh.prepare(self.folder, keys, self.uid, deploy_key)
            self.binds, self.env = (*self.binds, *binds), {**self.env, **env}

    async def download(self, branch: str | None) -> None:
        """`git clone`, shallow; the error that says why not."""
        chosen = () if branch is None else ("--branch", branch)
        clone = ("clone", "--depth=1", "--single-branch", "--no-tags", "--template=")
        clone = (*clone, "--no-recurse-submodules", "--no-progress", *chosen)
        ended, said = await self.git("clone", *clone, "--end-of-options", self.remote.url, "repo")
        if branch is not None and git_errors.is_missing_branch(said):
            raise git_errors.BranchNotFound(branch=branch, existing=await self._existing())
        if ended.code != 0:
            raise git_errors.explain(self.remote, said, self.refusals, ended)
        if git_errors.is_empty(said):
            raise git_errors.RepositoryEmpty(url=self.remote.url)

    async def pick(self, pin: Pin, branch: str | None) -> None:
        """This very commit; from the history of its branch where the host gives it in no other way.

        A branch that was pushed to meanwhile changes nothing; after a forced push the commit may be
        gone for good.
        """
        await self.git("init", "init", "--quiet", "--template=", "repo", network=False)
        if len(pin.sha) not in _WHOLE or not await self._get("commit", pin.sha, depth=1):
            where = pin.ref or branch or "HEAD"
            if not await self._get("history", where, depth=_DEPTH):
                raise git_errors.CommitGone(commit=pin.sha[:12])
        wanted = ("--quiet", "--detach", f"{pin.sha}^{{commit}}")
        ended, said = await self.git("pick", "-C", "repo", "checkout", *wanted, network=False)
        if ended.code != 0:
            if git_errors.is_missing_commit(said):
                raise git_errors.CommitGone(commit=pin.sha[:12])
            raise git_errors.explain(self.remote, said, (), ended)

    async def _get(self, step: str, what: str, *, depth: int) -> bool:
        """`git fetch`; false where the repository has no such thing, or does not give it."""
        fetch = ("-C", "repo", "fetch", f"--depth={depth}", "--no-tags", "--no-progress")
        fetch = (*fetch, "--no-recurse-submodules", "--end-of-options", self.remote.url, what)
        ended, said = await self.git(step, *fetch)
        if ended.code == 0:
            return True
        if git_errors.is_missing_commit(said) or git_errors.is_missing_branch(said):
            return False
        raise git_errors.explain(self.remote, said, self.refusals, ended)

    async def head(self, branch: str | None) -> tuple[str, str, str]:
        """Commit, first line of its message, and branch."""
        form = "--format=windlass-head %H %D%n%s"
        ended, said = await self.git(
            "log", "-C", "repo", "log", "-1", "--decorate=full", form, network=False
        )
        found = _HEAD_LINE.search(said)
        if not found:
            raise git_errors.explain(self.remote, said, (), ended)
        current = re.search(r"HEAD -> refs/heads/([^,\s]+)", found[2])
        return found[1], shown(found[3].strip()), branch or (current[1] if current else "HEAD")

    async def _existing(self) -> str:
        """The sentence that names the branches there are."""
        arguments = ("ls-remote", "--heads", "--end-of-options", self.remote.url)
        _, said = await self.git("branches", *arguments)
        names = re.findall(r"^[0-9a-f]{40,64}\trefs/heads/(.+)$", said, re.MULTILINE)
        if not names:
            return "The repository has no branches."
        more = len(names) - _BRANCHES_NAMED
        text = ", ".join(map(shown, names[:_BRANCHES_NAMED])) + (
            f" and {more} more" if more > 0 else ""
        )
        return f"The repository has: {text}."


def _egress_for(remote: Remote, egress: Egress) -> Egress:
    """Opens the port of the URL; ssh needs no other host. Where a name leads is still checked."""
    policy = egress.policy
    if not _is_listed(remote, policy):
        detail = f"{remote.host} is not on the list of allowed hosts ({policy.hosts_setting})."
        raise GitAddressRefused(detail=detail)
    if remote.scheme == "ssh":
        return Egress(
            msgspec.structs.replace(policy, hosts=(remote.host,), ports=frozenset({remote.port}))
        )
    return Egress(msgspec.structs.replace(policy, ports=policy.ports | {remote.port}))


def _is_listed(remote: Remote, policy: EgressPolicy) -> bool:
    if policy.hosts is None or remote.target in policy.always:
        return True
    host = remote.host.lower().rstrip(".")
    for wanted in (name.lower() for name in policy.hosts):
        if host == wanted or (wanted.startswith("*.") and host.endswith(wanted[1:])):
            return True
    return False


def warnings_of(manifest: Manifest, store: BlobStore) -> tuple[str, ...]:
    """What was left out: submodules and the content behind LFS pointers."""
    warnings: list[str] = []
    if any(entry.path == ".gitmodules" for entry in manifest):
        warnings.append("The repository has submodules (.gitmodules); they are not fetched.")
    pointers = [
        entry.path
        for entry in manifest
        if entry.mode == "file"
        and 100 < entry.size < 400
        and store.read_bytes(entry.sha256, len(_POINTER)) == _POINTER
    ]
    if pointers:
        warnings.append(
            f"{len(pointers)} files are Git LFS pointers ({pointers[0]}); "
            "their content is not fetched."
        )
    return tuple(warnings)
