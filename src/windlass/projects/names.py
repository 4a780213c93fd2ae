"""From what people call a project to what a host name can be (C-101, C-109, C-110, C-164)."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from windlass.core import names
from windlass.core.errors import ValidationFailed, invalid
from windlass.core.languages import N_
from windlass.core.process import WEB, Said

SLUG_LENGTH = 63
_PREVIEW_LETTERS = 9  # a dash and eight letters
_HASH_LETTERS = 8
RESERVED = frozenset(
    """www api admin app apps dashboard console mail smtp imap ftp ns ns1 ns2 panel windlass auth
    login status new docs blog cdn static assets support help billing root localhost""".split()  # noqa: SIM905
)
_REF = re.compile(r"(?!.*(\.\.|@\{|//|\\))(?![-/.])[A-Za-z0-9._/@+#-]{1,255}(?<![/.])")


def slug_of(name: str) -> str:
    """The label of a project's host name, with room for the letters of a preview."""
    return names.label(name, most=SLUG_LENGTH - _PREVIEW_LETTERS, reserved=RESERVED)


def clean_name(name: str) -> str:
    """A project's name as it is stored."""
    return names.clean(name, "Project")


def check_branch(branch: str) -> str:
    """A branch name in the characters that Git hosts allow (C-109)."""
    if not _REF.fullmatch(branch) or branch.endswith(".lock"):
        raise invalid("repositoryBranch", N_("This is not a branch name"))
    return branch


def branch_host_label(slug: str, branch: str, *, is_taken: bool = False) -> str:
    """`<slug>-git-<branch>`, a label of at most 63 characters. A hash of the branch stands at the
    end where letters had to go, or where another branch has the same label."""
    words = re.sub("[^a-z0-9]+", "-", branch.lower()).strip("-")
    label = f"{slug}-git-{words}".rstrip("-")
    if len(label) <= SLUG_LENGTH and words and not is_taken:
        return label
    hash = hashlib.sha256(branch.encode()).hexdigest()[:_HASH_LETTERS]
    return f"{label[: SLUG_LENGTH - _HASH_LETTERS - 1].rstrip('-')}-{hash}"


def preview_host_label(slug: str, letters: str) -> str:
    """`<slug>-<eight letters>`, a label of at most 63 characters (C-164)."""
    return f"{slug[: SLUG_LENGTH - _PREVIEW_LETTERS].rstrip('-')}-{letters}"


def kept_processes(processes: Sequence[Said]) -> list[dict[str, Any]]:
    """What is said of processes, in the form in which it is kept. Raises what makes no sense."""
    wrong: list[dict[str, str]] = []
    seen: set[str] = set()
    for place, process in enumerate(processes):
        problem = _process_problem(process, is_second=process.name in seen)
        if problem:
            wrong.append({"field": f"processes.{place}.{problem[0]}", "message": problem[1]})
        seen.add(process.name)
    if wrong:
        raise ValidationFailed(fields=wrong)
    kept = (each for each in processes if each != Said(name=each.name))
    return [
        {name: value for name, value in msgspec.to_builtins(each).items() if value is not None}
        for each in kept
    ]


def _process_problem(process: Said, *, is_second: bool) -> tuple[str, str] | None:
    if is_second:
        return "name", N_("There is another process of this name")
    if process.name == "release":
        return "name", N_("This is no process: say it as the command before each release")
    if process.name != WEB:
        return None
    if process.command is not None:
        return "command", N_("The command of web is the start command")
    if process.restart not in (None, "always"):
        return "restart", N_("The server is always started again")
    return None
