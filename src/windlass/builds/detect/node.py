"""A Node plan: what every project with a package.json has in common, and Node servers."""

import re
import shlex

from msgspec.structs import replace

from windlass.builds.detect.javascript import Config
from windlass.builds.detect.packages import TOOLS, Package
from windlass.builds.detect.scripts import commands, program
from windlass.builds.detect.source import Table, text
from windlass.builds.detect.values import Name, Object, Unknown
from windlass.builds.detect.workspaces import (
    RUNNER_CACHES,
    RUNNER_ENV,
    Member,
    Workspace,
    below,
    runner_command,
    up,
    watched,
)
from windlass.builds.paths import join, normal
from windlass.builds.plan import Plan
from windlass.core.languages import N_

SERVERS = {
    "@nestjs/core": ("nestjs", "NestJS"),
    "express": ("express", "Express"),
    "fastify": ("fastify", "Fastify"),
    "koa": ("koa", "Koa"),
    "@hapi/hapi": ("hapi", "hapi"),
    "hono": ("hono", "Hono"),
    "polka": ("polka", "Polka"),
    "restify": ("restify", "Restify"),
    "h3": ("h3", "H3"),
    "socket.io": ("node", "Node.js"),
    "ws": ("node", "Node.js"),
}
_ENTRIES = (
    *("server.js", "index.js", "app.js", "server.mjs", "index.mjs", "app.mjs", "server.cjs"),
    *("src/server.js", "src/index.js", "src/app.js", "src/main.js"),
)
# Programs of a `start` script that show a site while it is being written, or a folder of files.
_PREVIEWS = frozenset(
    [
        *("vite", "react-scripts", "ng", "parcel", "eleventy", "vitepress", "gatsby", "hexo"),
        *("docusaurus", "astro", "serve", "http-server", "live-server", "webpack", "snowpack"),
        *("webpack-dev-server", "vue-cli-service", "browser-sync", "lite-server", "storybook"),
    ]
)
_STAYS = frozenset(["--watch", "--inspect", "dev"])
# Without node_modules only Yarn itself could start a program; telemetry leaves the machine.
_BERRY = {"YARN_NODE_LINKER": "node-modules", "YARN_ENABLE_TELEMETRY": "0"}
_PLAIN = re.compile(r"[\w@%+=:,./ -]+", re.ASCII)


def node_plan(package: Package, plan: Plan, *, production: bool = False) -> Plan:
    """Add to a framework's plan how its packages are installed and where they lie."""
    manager, root = package.manager, package.source.root
    folder, workspace = manager.folder, package.workspace
    member = workspace.inside(root) if workspace else None
    behind = workspace.behind(member) if workspace and member else []
    builds = any(each.builds for each in behind)
    needed = bool(package.dependencies) or manager.lock_file or folder != root
    install = manager.install(production=production and not builds) if needed else None
    if install and folder != root:
        install = f"cd {up(root, folder)} && {install}"
    tools = [join(folder, f"{TOOLS}/bin")] if manager.package else []
    homes = dict.fromkeys([root, folder, *(each.folder for each in behind)])
    caches = [join(home, "node_modules") for home in homes]
    caches += [join(folder, TOOLS)] if manager.package else []
    env = _BERRY if manager.berry else {}
    plan = replace(
        plan,
        root_directory=root,
        runtime="node",
        package_manager=manager.name,
        install_command=install,
        lock_file=manager.lock_file,
        cache_directories=tuple(caches) if install else (),
        framework_caches=tuple(join(root, cache) for cache in plan.framework_caches),
        path=(
            *[join(home, "node_modules/.bin") for home in (*dict.fromkeys([root, folder]),)],
            *tools,
        ),
        env={**env, **plan.env},
        evidence=(*plan.evidence, *manager.evidence),
        warnings=(*plan.warnings, *(manager.warnings if install else ())),
    )
    if workspace and member:
        return _member_plan(package, plan, workspace, member, behind)
    return plan


def _member_plan(
    package: Package, plan: Plan, workspace: Workspace, member: Member, behind: list[Member]
) -> Plan:
    """What a member depends on in its workspace is built before it."""
    above = up(member.folder, workspace.top)
    plan = replace(plan, watch_paths=watched(workspace, member))
    runner, first = workspace.runner, [each for each in behind if each.builds]
    own = package.manager.run("build")
    if runner and (plan.build_command == own or (first and plan.build_command is None)):
        command = runner_command(runner, member.name)
        kept = [join(workspace.top, RUNNER_CACHES[runner])] if runner in RUNNER_CACHES else []
        return replace(
            plan,
            build_command=f"cd {above} && {command}",
            framework_caches=(*plan.framework_caches, *kept),
            env={**RUNNER_ENV.get(runner, {}), **plan.env},
            evidence=(
                *plan.evidence,
                N_("{runner} builds it and what it depends on").format(runner=runner),
            ),
        )
    if not first:
        return plan
    places = [shlex.quote(join(above, below(each.folder, workspace.top))) for each in first]
    steps = [f"(cd {place} && {own})" for place in places]
    names = ", ".join(each.name for each in first)
    return replace(
        plan,
        build_command=" && ".join([*steps, *([plan.build_command] if plan.build_command else [])]),
        evidence=(
            *plan.evidence,
            N_("built before it, from the workspace: {names}").format(names=names),
        ),
    )


def server(package: Package, *, site: str | None = None) -> Plan | None:
    """A Node server, by its `start` script, by `main`, or by a file that listens.

    `site` names a static framework that was found too: then only a server that certainly is one
    (it depends on a server library, or its file listens) is taken for it.
    """
    source, scripts = package.source, package.scripts
    library = next((name for name in SERVERS if name in package.runtime), None)
    script = _script(scripts)
    words = (commands(scripts, script) or [[]])[-1]
    if words and program(words) in _PREVIEWS:
        return None
    entry = _entry(package, words)
    listening, port = _listens(package, entry)
    certain = library is not None or listening
    if not words and (entry is None or site or not (certain or _is_main(package, entry))):
        return None
    if site and not certain:
        return None
    framework, label = SERVERS.get(library or "", ("node", "Node.js"))
    evidence = [package.evidence(library)] if library else []
    if words:
        evidence.append(
            N_("{file}: `{script}` runs {command}").format(
                file=source.named("package.json"), script=script, command=shlex.join(words)[:120]
            )
        )
    elif entry:
        message = (
            N_("{file}: it listens for requests")
            if listening
            else N_("{file}: `main` of package.json")
        )
        evidence.append(message.format(file=source.named(entry)))
    if port:
        evidence.append(
            N_("{file}: listens on port {port}, whatever PORT says").format(
                file=source.named(entry or ""), port=port
            )
        )
    start = start_command(package, script) if words else f"node {shlex.quote(entry or '')}"
    built = "build" in scripts
    return node_plan(
        package,
        Plan(
            framework=framework,
            label=label,
            kind="server",
            build_command=package.manager.run("build") if built else None,
            start_command=start,
            port=port or 3000,
            env={"NODE_ENV": "production"},
            evidence=tuple(evidence),
        ),
        production=not built and start.startswith("node "),
    )


def _script(scripts: Table) -> str:
    """`start`, unless that one is for writing the program and another starts what was built."""
    words = (commands(scripts, "start") or [[]])[-1]
    writes = not words or program(words) == "nest" or _STAYS.intersection(words)
    return "start:prod" if writes and "start:prod" in scripts else "start"


def start_command(package: Package, script: str = "start") -> str:
    """The `start` script: itself when it is one plain `node …`, which spares a process."""
    line = text(package.scripts.get(script)) or ""
    around = {f"pre{script}", f"post{script}"} & package.scripts.keys()
    if line.startswith("node ") and _PLAIN.fullmatch(line) and not around:
        return line
    return f"{'bun' if package.manager.name == 'bun' else 'npm'} run {script}"


def _entry(package: Package, words: list[str]) -> str | None:
    """The file that the server starts from, as far as it is in the source."""
    source = package.source
    named = [word for word in words[1:] if not word.startswith("-")] if words else []
    if words and program(words) in ("fastify", "nest", "next"):
        named = []
    main = text(package.content.get("main"))
    wanted = [*named[:2], *([main] if main and not words else [])]
    for path in wanted:
        plain = normal(path)
        for candidate in (plain, f"{plain}.js", f"{plain}/index.js", *_written_as(plain or "")):
            if candidate and source.has(candidate):
                return candidate
    return None if words else source.first(*_ENTRIES)


def _written_as(path: str) -> tuple[str, ...]:
    """`dist/index.js` is compiled: what says how it listens is `src/index.ts`."""
    folder, _, rest = path.partition("/")
    if folder not in ("dist", "build", "lib", "out"):
        return ()
    stem = rest.removesuffix(".js").removesuffix(".mjs").removesuffix(".cjs")
    return f"src/{stem}.ts", f"{stem}.ts", f"src/{stem}.mts"


def _is_main(package: Package, entry: str) -> bool:
    """`npm init` writes `main` into every package: beside a page it says nothing."""
    main = normal(text(package.content.get("main")) or "index.js")
    pages = any(path.endswith(".html") for path in package.source.files)
    return (
        main in (entry, entry.removesuffix(".js"))
        and not pages
        and "build" not in (package.scripts)
    )


def _listens(package: Package, entry: str | None) -> tuple[bool, int | None]:
    """Whether the file calls `.listen(…)`, and the port when it is written there as a number."""
    code = package.source.code(entry) if entry else None
    if code is None:
        return False, None
    config, listening = Config(code), False
    served = config.option("serve", "port")
    if isinstance(served, int) and not isinstance(served, bool) and served > 1023:
        return True, min(served, 65535)
    for argument in config.calls("listen"):
        listening = True
        if isinstance(argument, Object):
            argument = next((value for key, value in argument.entries if key == "port"), None)
        if isinstance(argument, int) and not isinstance(argument, bool) and argument > 1023:
            return True, min(argument, 65535)
        if isinstance(argument, Unknown | Name):
            break
    serves = any(token.text in ("createServer", "serve") for token in config.tokens)
    return listening or (serves and bool(config.imports)), None
