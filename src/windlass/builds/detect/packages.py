"""A package.json: its dependencies, its package manager, and how both are installed."""

import re
from functools import cached_property

import msgspec

from windlass.builds.detect.source import Source, Table, table, text
from windlass.builds.detect.workspaces import Workspace, listed, patterns_of, workspace_of
from windlass.builds.paths import join
from windlass.core.languages import N_

TOOLS = ".windlass"
"""Where the package manager itself is installed when it is not npm, which comes with Node."""

_PINNED = re.compile(
    r"(npm|pnpm|yarn|bun)@(\d{1,4}(?:\.\d{1,5}){2}(?:-[0-9A-Za-z.-]{1,40})?)(?:\+.*)?"
)
_LOCKS = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
)


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """Which package manager, where its lock file lies (from the source's top) and what it runs."""

    name: str
    package: str | None
    """What to install first, such as `pnpm@10.1.0`; None for npm."""
    folder: str
    """Where it installs: the root directory, or the workspace above it."""
    lock_file: str | None
    berry: bool = False
    evidence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def install(self, *, production: bool = False) -> str:
        locked = self.lock_file is not None
        match self.name:
            case "npm":
                scope = "--omit=dev" if production else "--include=dev"
                return f"npm {'ci' if locked else 'install'} {scope} --no-audit --no-fund"
            case "pnpm":
                frozen = "--frozen-lockfile" if locked else "--no-frozen-lockfile"
                return self._with_tool(f"pnpm install {frozen} --prod={str(production).lower()}")
            case "yarn" if self.berry:
                return self._with_tool("yarn install" + (" --immutable" if locked else ""))
            case "yarn":
                frozen = " --frozen-lockfile" if locked else ""
                scope = f" --production={str(production).lower()}"
                return self._with_tool(f"yarn install{frozen} --non-interactive{scope}")
            case _:
                frozen = " --frozen-lockfile" if locked else ""
                scope = " --production" if production else ""
                return self._with_tool(f"bun install{frozen}{scope}")

    def run(self, script: str) -> str:
        return f"{self.name} run {script}"

    def _with_tool(self, command: str) -> str:
        if self.package is None:
            return command
        # Newer npm runs no script of a package unasked, and Bun puts itself in place by one.
        allowed = " --allow-scripts=bun" if self.name == "bun" else ""
        install = f'npm install --global --prefix "$PWD/{TOOLS}" --no-audit --no-fund{allowed}'
        tool = f"{install} {self.package}"
        return f"{tool} && {command}"


class Package:
    """A package.json that could be read. Fields of a wrong type count as absent."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.content: Table = source.json("package.json")
        self.scripts: Table = {
            name: line for name, line in table(self.content.get("scripts")).items() if text(line)
        }

    @cached_property
    def runtime(self) -> dict[str, str]:
        """`dependencies`: what the program itself needs when it runs."""
        return _versions(self.content.get("dependencies"))

    @cached_property
    def dependencies(self) -> dict[str, str]:
        return {**_versions(self.content.get("devDependencies")), **self.runtime}

    def evidence(self, name: str) -> str:
        asked = f"{name} {self.dependencies[name]}".strip()
        return N_("{file}: depends on {name}").format(
            file=self.source.named("package.json"), name=asked
        )

    @cached_property
    def workspace(self) -> Workspace | None:
        """The workspace that lists this package, when its top is elsewhere."""
        top = _workspace_of(self.source)
        return workspace_of(top) if top is not self.source else None

    @cached_property
    def manager(self) -> Manager:
        """By `packageManager`, then by lock file, then npm; a workspace's own is above."""
        home = _workspace_of(self.source)
        content = self.content if home is self.source else home.json("package.json")
        here = [(lock, name) for lock, name in _LOCKS if home.has(lock)]
        warnings: list[str] = []
        pinned = _pin(content, warnings)
        name = pinned[0] if pinned else here[0][1] if here else "npm"
        lock = next((lock for lock, owner in here if owner == name), None)
        evidence = [_reason(home, name, lock, pinned)]
        if len({owner for _, owner in here}) > 1:
            others = ", ".join(found for found, owner in here if owner != name)
            warnings.append(
                N_("Several lock files: {others} not used; remove what is old.").format(
                    others=others
                )
            )
        if lock is None and here:
            warnings.append(
                N_("{lock} is the lock file of another package manager: {name} is used.").format(
                    lock=here[0][0], name=name
                )
            )
        if lock is None:
            warnings.append(
                N_("No lock file for {name}: every build may install other versions.").format(
                    name=name
                )
            )
        if home is not self.source:
            evidence.append(
                N_("{folder} belongs to the workspace in {root}").format(
                    folder=self.source.root, root=home.root
                )
            )
        head = home.head(lock) if lock and lock.endswith((".yaml", ".lock")) else ""
        berry = name == "yarn" and (
            _major(pinned) > 1 if pinned else "__metadata:" in head or home.has(".yarnrc.yml")
        )
        return Manager(
            name=name,
            package=_tool(name, pinned, head, berry=berry),
            folder=home.root,
            lock_file=join(home.root, lock) if lock else None,
            berry=berry,
            evidence=tuple(evidence),
            warnings=tuple(warnings),
        )


def _versions(value: object) -> dict[str, str]:
    return {name: text(version) or "" for name, version in table(value).items()}


def _pin(content: Table, warnings: list[str]) -> tuple[str, str] | None:
    wanted = text(content.get("packageManager"))
    if wanted is None:
        volta = table(content.get("volta"))
        chosen = [f"{name}@{volta[name]}" for name in ("pnpm", "yarn") if text(volta.get(name))]
        wanted = chosen[0] if chosen else None
    if wanted is None:
        return None
    found = _PINNED.fullmatch(wanted)
    if found is None:
        warnings.append(
            N_("packageManager {wanted} is not `name@1.2.3`; it is passed over.").format(
                wanted=repr(wanted[:60])
            )
        )
        return None
    return found[1], found[2]


def _major(pinned: tuple[str, str]) -> int:
    return int(pinned[1].partition(".")[0])


def _reason(home: Source, name: str, lock: str | None, pinned: tuple[str, str] | None) -> str:
    if pinned:
        return N_("{file}: packageManager is {name}").format(
            file=home.named("package.json"), name=f"{name}@{pinned[1]}"
        )
    return (
        N_("{file}: lock file of {name}").format(file=home.named(lock), name=name)
        if lock
        else N_("no lock file: npm")
    )


def _tool(name: str, pinned: tuple[str, str] | None, head: str, *, berry: bool) -> str | None:
    """The package manager's own package; unpinned, the major version that wrote the lock file."""
    if name == "npm":
        return None
    package = "@yarnpkg/cli-dist" if berry else name
    if pinned:
        return f"{package}@{pinned[1]}"
    if name == "pnpm":
        found = re.search(r"^lockfileVersion:\s*['\"]?(\d+)", head, re.MULTILINE | re.ASCII)
        return f"pnpm@{ {'5': 7, '6': 8}.get(found[1] if found else '', 10) }"
    if berry:
        found = re.search(r"^\s+version:\s*(\d+)", head, re.MULTILINE | re.ASCII)
        return f"{package}@{3 if found and int(found[1][:4]) < 8 else 4}"
    return f"{package}@1"


def _workspace_of(source: Source) -> Source:
    """The source itself, or the nearest folder above whose workspace lists it."""
    folder = source.root
    if any(source.has(lock) for lock, _ in _LOCKS):
        return source
    while folder != ".":
        folder = folder.rpartition("/")[0] or "."
        above = source.at(folder)
        below = source.root if folder == "." else source.root[len(folder) + 1 :]
        if above.has("package.json") and listed(patterns_of(above), below):
            return above
    return source
