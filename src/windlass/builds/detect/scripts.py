"""The scripts of a package.json cut into the commands they run, so that tools are found by name."""

import shlex

from windlass.builds.detect.source import Table

_WRAPPERS = frozenset(
    ["npx", "bunx", "cross-env", "env", "dotenv", "pnpx", "exec", "dlx", "x", "--yes", "-y", "--"]
)
_RUNNERS = frozenset(["npm", "pnpm", "yarn", "bun"])
_SEPARATORS = frozenset(["&&", "||", ";", "&", "|", "(", ")"])
_STAYS = frozenset(["--serve", "--watch", "-w", "--dev", "--incremental-serve"])
_DEEPEST = 4
_MOST = 40


def commands(scripts: Table, name: str, depth: int = 0) -> list[list[str]]:
    """Every command that a script runs, through `npm run other`, without wrappers and variables."""
    line = scripts.get(name)
    if not isinstance(line, str) or depth > _DEEPEST:
        return []
    found: list[list[str]] = []
    for words in _simple_commands(line[:2000]):
        other = _named_script(words, scripts)
        found.extend(commands(scripts, other, depth + 1) if other and other != name else [words])
        if len(found) > _MOST:
            break
    return found[:_MOST]


def runs(scripts: Table, tool: str, *subcommands: str) -> tuple[str, list[str]] | None:
    """The script that runs `tool`, with one of the subcommands if any: its name and the command.

    `build` comes first, then `docs:build` and the like, in the order of the file.
    """
    names = sorted(scripts, key=lambda name: (name != "build", "build" not in name))
    for name in names[:100]:
        for words in commands(scripts, name):
            if program(words) != tool or _STAYS.intersection(words):
                continue
            if not subcommands or any(word in subcommands for word in words[1:3]):
                return name, words
    return None


def program(words: list[str]) -> str:
    """`./node_modules/.bin/vite` is vite."""
    return words[0].rpartition("/")[2] if words else ""


def flag(words: list[str], *names: str) -> str | None:
    """The value of `--name value` or `--name=value`."""
    for index, word in enumerate(words):
        for name in names:
            if word == name and index + 1 < len(words):
                return words[index + 1]
            if word.startswith(f"{name}="):
                return word[len(name) + 1 :]
    return None


def _simple_commands(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return []
    found: list[list[str]] = [[]]
    for word in words:
        if word in _SEPARATORS:
            found.append([])
        elif found[-1] or not _is_prefix(word):
            found[-1].append(word)
    return [words for words in found if words]


def _is_prefix(word: str) -> bool:
    """`NODE_ENV=production cross-env X=1 npx vite build`: the command starts at `vite`."""
    name, equals, _ = word.partition("=")
    return word in _WRAPPERS or bool(equals and name.isidentifier())


def _named_script(words: list[str], scripts: Table) -> str | None:
    """The script behind `npm run x`, `yarn x`, `run-s x`."""
    if words[0] not in _RUNNERS:
        return None
    rest = [word for word in words[1:] if not word.startswith("-") and word not in ("run", "exec")]
    return rest[0] if rest and rest[0] in scripts else None
