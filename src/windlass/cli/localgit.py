"""What the user's own Git says about a folder: branch and commit, or a branch as an archive.

Argument vectors only; a folder without Git, or a machine without it, just has no commit.
"""

import os
import re
import subprocess
from pathlib import Path

from windlass.cli.errors import CliError

# A repository's own configuration must not run programs when it is merely looked at.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SECONDS = 10

# A branch is only shown: a name beyond what Git hosts allow must not make the deployment fail.
_PLAIN_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,254}")


class NoSuchBranch(CliError):
    """The repository {folder} has no branch {branch}."""

    fix = "`git branch --all` lists them."


def is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def commit_of(folder: Path) -> dict[str, str]:
    """branch, commitSha and commitMessage as the API takes them; a changed folder has no commit."""
    if not any((candidate / ".git").exists() for candidate in (folder, *folder.parents)):
        return {}
    head = _ask(folder, "log", "-1", "--format=%H%n%s")
    branch = _ask(folder, "branch", "--show-current")
    found = {"branch": branch} if branch and _PLAIN_BRANCH.fullmatch(branch) else {}
    if head and _ask(folder, "status", "--porcelain", "--", ".") == "":
        sha, _, subject = head.partition("\n")
        found |= {"commitSha": sha, "commitMessage": subject[:500]}
    return found


def export(folder: Path, branch: str | None, into: Path) -> dict[str, str]:
    """Writes a branch as .tar.gz and says which commit it is. Raises NoSuchBranch."""
    name = branch or "HEAD"
    commit = "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    sha = _ask(folder, *commit)
    if not sha:
        raise NoSuchBranch(folder=folder, branch=name)
    if _ask(folder, "archive", "--format=tar.gz", f"--output={into}", sha) is None:
        raise NoSuchBranch(folder=folder, branch=name)
    subject = _ask(folder, "log", "-1", "--format=%s", sha) or ""
    found = {"commitSha": sha, "commitMessage": subject[:500]}
    return {"branch": branch, **found} if branch else found


def _ask(folder: Path, *words: str) -> str | None:
    """Git's answer, or None when it has none."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            (*_GIT, "-C", str(folder), *words),
            capture_output=True,
            env=environment,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
