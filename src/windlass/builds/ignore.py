"""Which files of a folder are not part of its source: one rule for the command line and the server.

Always left out is what is private (`.env`), what a tool can make again (`node_modules`) and what is
no source (`.git`). A folder's own `.gitignore` and `.windlassignore` add to it; `.windlassignore`
is read last, so it can bring back with `!name` what `.gitignore` took out (a built `dist/`), but
never what is always left out.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pathspec import GitIgnoreSpec

ALWAYS: tuple[str, ...] = (
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "node_modules",
    "bower_components",
    ".venv",
    "venv/pyvenv.cfg",
    "__pycache__",
    "*.py[co]",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".pnpm-store",
    ".yarn/cache",
    ".yarn/unplugged",
    ".yarn/install-state.gz",
    ".next/cache",
    ".parcel-cache",
    ".turbo",
    ".vercel",
    ".netlify",
    ".windlass",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "*.swp",
    ".env",
    ".env.*",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    ".direnv",
    ".envrc",
    "id_rsa",
    "id_ed25519",
)
"""Left out whatever the folder's own files say (Git's pattern syntax)."""
RULE_FILES = (".gitignore", ".windlassignore")
_MAX_LINES = 5000
_MOST_STARS = 4

_always = GitIgnoreSpec.from_lines(ALWAYS)


class Sifted(NamedTuple):
    """The paths of a folder, each in one of three lists, in their order."""

    kept: list[str]
    by_rules: list[str]
    always: list[str]


def sift(paths: Iterable[str], rules: dict[str, str]) -> Sifted:
    """Which of these paths (POSIX, relative) belong to the source. A folder takes all in it along.

    `rules` maps the path of each `.gitignore` and `.windlassignore` to its text. Rules of a
    subfolder hold below it, as in Git. A pattern that is not one, or that would take very long to
    match (more than four stars in one name), is passed over.
    """
    found = Sifted([], [], [])
    own, folders = _own(rules), dict[str, list[str]]()

    def place_of(path: str) -> list[str]:
        if _always.match_file(path):
            return found.always
        return found.by_rules if own(path) else found.kept

    for path in paths:
        end = path.find("/")
        place = found.kept
        while end >= 0 and place is found.kept:
            folder = path[: end + 1]
            if folder not in folders:
                folders[folder] = place_of(folder)
            place = folders[folder]
            end = path.find("/", end + 1)
        (place_of(path) if place is found.kept else place).append(path)
    return found


def kept(paths: Iterable[str], rules: dict[str, str]) -> list[str]:
    """The paths that belong to the source, in their order."""
    return sift(paths, rules).kept


def _own(rules: dict[str, str]) -> Callable[[str], bool]:
    """A question: do the folder's own rules leave this path out? A folder ends in "/"."""
    specs = [
        (path.rpartition("/")[0], _spec(rules[path]))
        for path in sorted(
            (path for path in rules if _name(path) in RULE_FILES),
            key=lambda path: (path.count("/"), RULE_FILES.index(_name(path))),
        )
    ]

    def left_out(path: str) -> bool:
        ignored = False
        for folder, spec in specs:
            if folder and not path.startswith(f"{folder}/"):
                continue
            verdict = spec.check_file(path[len(folder) + 1 :] if folder else path).include
            ignored = ignored if verdict is None else verdict
        return ignored

    return left_out


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _spec(text: str) -> GitIgnoreSpec:
    lines: list[str] = []
    for line in text.lstrip("\ufeff").splitlines()[:_MAX_LINES]:
        # Each star multiplies the work of a mismatch; no real rule has many in one name.
        if len(line) > 500 or any(part.count("*") > _MOST_STARS for part in line.split("/")):
            continue
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error):
            continue
        lines.append(line)
    return GitIgnoreSpec.from_lines(lines)
