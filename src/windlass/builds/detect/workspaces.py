"""Workspaces of npm, pnpm and yarn, with Turborepo, Nx or Lerna above them.

A member is installed from the top of its workspace, and what it depends on there is built first:
by the runner when there is one, else member by member.
"""

import shlex
from typing import cast

import msgspec

from windlass.builds.detect.source import Source, Table, table, text, texts
from windlass.builds.paths import join

_LISTS = ("package.json", "pnpm-workspace.yaml", "lerna.json")
_MOST_MEMBERS = 500


class Member(msgspec.Struct, frozen=True):
    """One package of a workspace; `folder` is from the top of the source."""

    name: str
    folder: str
    builds: bool
    needs: tuple[str, ...]
    """The names of everything it depends on."""


class Workspace(msgspec.Struct, frozen=True):
    """`top` is where the packages are installed."""

    top: str
    members: dict[str, Member]
    runner: str | None = None

    def inside(self, folder: str) -> Member | None:
        return next((each for each in self.members.values() if each.folder == folder), None)

    def behind(self, member: Member) -> list[Member]:
        """The members that it depends on, each after those that it needs itself."""
        found: dict[str, Member] = {}

        def visit(each: Member, seen: frozenset[str]) -> None:
            for name in each.needs:
                inner = self.members.get(name)
                if inner and name not in found and name not in seen and inner is not member:
                    visit(inner, seen | {name})
                    found[name] = inner

        visit(member, frozenset({member.name}))
        return list(found.values())


def workspace_of(top: Source) -> Workspace | None:
    """The workspace whose top this folder is; None when it lists no packages."""
    known = f"workspace {top.root}"
    if known not in top.remembered:
        top.remembered[known] = _read(top)
    return cast(Workspace | None, top.remembered[known])


def _read(top: Source) -> Workspace | None:
    patterns = patterns_of(top)
    if not patterns:
        return None
    members: dict[str, Member] = {}
    for path in [each for each in top.files if each.endswith("/package.json")][:_MOST_MEMBERS]:
        folder = path.removesuffix("/package.json")
        if listed(patterns, folder):
            member = _member(top, folder)
            members[member.name] = member
    return Workspace(top.root, members, _runner(top)) if members else None


def patterns_of(top: Source) -> list[str]:
    """What the files at the top list as packages; `!` takes out."""
    if top.has("pnpm-workspace.yaml"):
        return texts(top.yaml("pnpm-workspace.yaml").get("packages"))
    given = top.json("package.json").get("workspaces") if top.has("package.json") else None
    found = texts(given) or texts(table(given).get("packages"))
    if not found and top.has("lerna.json"):
        lerna = top.json("lerna.json").get("packages")
        found = texts(lerna) if lerna is not None else ["packages/*"]
    return found


def listed(patterns: list[str], folder: str) -> bool:
    found = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").removeprefix("./").rstrip("/")
        if _matches(plain, folder):
            found = not pattern.startswith("!")
    return found


def _matches(pattern: str, folder: str) -> bool:
    """`packages/*` is one level, `packages/**` any."""
    wanted, given = pattern.split("/"), folder.split("/")
    if wanted[-1] == "**":
        return given[: len(wanted) - 1] == wanted[:-1]
    pairs = zip(wanted, given, strict=False)
    return len(wanted) == len(given) and all(one in ("*", two) for one, two in pairs)


def _member(top: Source, folder: str) -> Member:
    content = top.json(join(folder, "package.json"))
    kinds = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
    needs = dict.fromkeys(name for kind in kinds for name in table(content.get(kind)))
    return Member(
        text(content.get("name")) or folder,
        top.named(folder),
        text(table(content.get("scripts")).get("build")) is not None,
        tuple(needs),
    )


def _runner(top: Source) -> str | None:
    """The program that builds members in order, if the top depends on it."""
    content: Table = top.json("package.json") if top.has("package.json") else {}
    depends = {*table(content.get("devDependencies")), *table(content.get("dependencies"))}
    configs = {"turbo": "turbo.json", "nx": "nx.json", "lerna": "lerna.json"}
    return next((name for name, file in configs.items() if name in depends and top.has(file)), None)


RUNNER_ENV = {
    "turbo": {"TURBO_TELEMETRY_DISABLED": "1"},
    "nx": {"NX_DAEMON": "false", "NX_NO_CLOUD": "true"},
}
RUNNER_CACHES = {"turbo": ".turbo", "nx": ".nx"}


def runner_command(runner: str, name: str) -> str:
    """Builds a member, and before it what it depends on, with what is cached."""
    member = shlex.quote(name)
    match runner:
        case "turbo":
            return f"turbo run build --filter={member}"
        case "nx":
            return f"nx run {shlex.quote(f'{name}:build')}"
        case _:
            return f"lerna run build --scope={member} --include-dependencies"


def watched(workspace: Workspace, member: Member) -> tuple[str, ...]:
    """The folders and files whose changes concern the member; for filters by path."""
    folders = [member.folder, *(each.folder for each in workspace.behind(member))]
    return (
        *(f"{folder}/**" for folder in sorted(folders)),
        *(join(workspace.top, name) for name in (*_LISTS, "*lock*")),
    )


def up(root: str, top: str) -> str:
    """From a root directory to the top of its workspace: `../..`."""
    depth = root.count("/") + 1 - (0 if top == "." else top.count("/") + 1)
    return "/".join([".."] * depth)


def below(folder: str, top: str) -> str:
    """A folder as the top of its workspace sees it."""
    return folder if top == "." else folder[len(top) + 1 :]
