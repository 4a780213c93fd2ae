"""Node frameworks that make either a site or a server: which one, their configuration says."""

import shlex

from windlass.builds.detect.node import node_plan, start_command
from windlass.builds.detect.packages import Package
from windlass.builds.detect.scripts import commands, flag, program, runs
from windlass.builds.detect.sites import below_root, config_names, config_of, warn_of_base
from windlass.builds.detect.source import Source
from windlass.builds.detect.tokens import tokenize
from windlass.builds.detect.values import MISSING, Call, Object, Unknown
from windlass.builds.errors import UnsupportedPlan
from windlass.builds.paths import join
from windlass.builds.plan import Plan
from windlass.core.languages import N_


def next_js(package: Package) -> Plan | None:
    """Next.js: a folder of files with `output: 'export'`, else a server."""
    if "next" not in package.dependencies:
        return None
    source, evidence, warnings = package.source, [package.evidence("next")], list[str]()
    exported = runs(package.scripts, "next", "export")
    found = config_of(source, config_names("next.config"))
    output, folder = None, None
    if found:
        file, config = found
        output = config.get("output")
        folder = config.text("distDir")
        warn_of_base(config, "basePath", file, warnings)
        if isinstance(output, Unknown):
            warnings.append(
                N_("{file}: output is computed; a server is assumed.").format(file=file)
            )
        evidence.append(_output_said(file, output if isinstance(output, str) else None))
    if exported:
        evidence.append(
            N_("script `{script}` runs {command}").format(script=exported[0], command="next export")
        )
    base = dict[str, str](NEXT_TELEMETRY_DISABLED="1", NEXT_IGNORE_INCORRECT_LOCKFILE="1")
    build = package.manager.run("build") if "build" in package.scripts else "next build"
    if output == "export" or exported:
        named = flag(exported[1], "-o", "--outdir") if exported else None
        folder = named or (folder if isinstance(folder, str) and not exported else "out")
        plan = Plan(
            framework="nextjs",
            label=N_("Next.js (static export)"),
            kind="static",
            build_command=build,
            output_directory=below_root(source, "next.config.js", folder),
            env=base,
            framework_caches=(".next/cache",),
            evidence=(*evidence, N_("output folder {folder}").format(folder=folder)),
            warnings=tuple(warnings),
        )
        return node_plan(package, plan)
    made = folder if isinstance(folder, str) else ".next"
    start = 'next start -p "$PORT"'
    words = (commands(package.scripts, "start") or [[]])[-1]
    if output == "standalone":
        build, start = _standalone(package, build, made)
    elif words and program(words) not in ("next", "serve"):
        start = start_command(package)
        evidence.append(
            N_("`start` runs its own server: {command}").format(command=shlex.join(words)[:120])
        )
    plan = Plan(
        framework="nextjs",
        label="Next.js",
        kind="server",
        build_command=build,
        start_command=start,
        env={**base, "NODE_ENV": "production", "HOSTNAME": "0.0.0.0"},  # noqa: S104 - own namespace
        framework_caches=(f"{made}/cache",),
        evidence=tuple(evidence),
        warnings=tuple(warnings),
    )
    return node_plan(package, plan)


def _standalone(package: Package, build: str, made: str) -> tuple[str, str]:
    """Next.js leaves `public` and its static files for others to copy beside the server."""
    source, folder = package.source, package.manager.folder
    inner = source.root if folder == "." else source.root.removeprefix(folder).strip("/")
    home = join(f"{made}/standalone", inner)
    copies = [f"cp -R {shlex.quote(f'{made}/static')} {shlex.quote(f'{home}/{made}/static')}"]
    if source.has_folder("public"):
        copies.append(f"cp -R public {shlex.quote(f'{home}/public')}")
    return " && ".join([build, *copies]), f"node {shlex.quote(f'{home}/server.js')}"


def astro(package: Package) -> Plan | None:
    """Astro: files, or the server of its Node adapter when a page asks to be made on request."""
    if "astro" not in package.dependencies:
        return None
    source, evidence, warnings = package.source, [package.evidence("astro")], list[str]()
    found = config_of(source, config_names("astro.config"))
    mode, folder, adapter, adapter_options = None, None, None, MISSING
    if found:
        file, config = found
        mode, folder = config.text("output"), config.text("outDir")
        warn_of_base(config, "base", file, warnings)
        value = config.get("adapter")
        if isinstance(value, Call):
            adapter = config.imports.get(value.callee.partition(".")[0], value.callee)
            adapter_options = value.arguments[0] if value.arguments else MISSING
        evidence.append(_output_said(file, mode if isinstance(mode, str) else None))
    on_request = mode in ("server", "hybrid") or (adapter and _asks_for_server(source))
    made = folder if isinstance(folder, str) else "dist"
    made = below_root(source, "astro.config", flag(_words(package, "astro"), "--outDir") or made)
    build = package.manager.run("build") if "build" in package.scripts else "astro build"
    env = {"ASTRO_TELEMETRY_DISABLED": "1"}
    caches = (".astro", "node_modules/.astro")
    if not on_request:
        plan = Plan(
            framework="astro",
            label="Astro",
            kind="static",
            build_command=build,
            output_directory=made,
            env=env,
            framework_caches=caches,
            evidence=(*evidence, N_("output folder {folder}").format(folder=made)),
            warnings=tuple(warnings),
        )
        return node_plan(package, plan)
    if adapter != "@astrojs/node":
        what = (
            N_("Astro with the adapter {adapter}").format(adapter=adapter)
            if adapter
            else N_("Astro's server output")
        )
        hint = N_("Use the adapter @astrojs/node (mode: 'standalone'), or output: 'static'.")
        raise UnsupportedPlan(what=what, evidence="; ".join(evidence), hint=hint)
    entry = f"node {shlex.quote(f'./{made}/server/entry.mjs')}"
    if not _has(adapter_options, "mode", "standalone"):
        # In middleware mode the entry exports a handler: only the project's own server starts it.
        if "start" not in package.scripts:
            hint = N_("Set mode: 'standalone' in astro.config, or add a `start` script.")
            raise UnsupportedPlan(
                what=N_("Astro's middleware mode"), evidence="; ".join(evidence), hint=hint
            )
        entry = start_command(package)
    plan = Plan(
        framework="astro",
        label=N_("Astro (server)"),
        kind="server",
        build_command=build,
        start_command=entry,
        env={**env, "HOST": "0.0.0.0", "NODE_ENV": "production"},  # noqa: S104 - own namespace
        framework_caches=caches,
        evidence=(*evidence, N_("adapter {adapter}").format(adapter=adapter)),
        warnings=tuple(warnings),
    )
    return node_plan(package, plan)


def sveltekit(package: Package) -> Plan | None:
    if "@sveltejs/kit" not in package.dependencies:
        return None
    source, evidence = package.source, [package.evidence("@sveltejs/kit")]
    found = config_of(source, config_names("svelte.config"))
    value = found[1].get("kit.adapter") if found else MISSING
    adapter, options = None, MISSING
    if found and isinstance(value, Call):
        adapter = found[1].imports.get(value.callee, value.callee)
        options = value.arguments[0] if value.arguments else MISSING
        evidence.append(N_("{file}: adapter is {adapter}").format(file=found[0], adapter=adapter))
    build = package.manager.run("build") if "build" in package.scripts else "vite build"
    caches = (".svelte-kit", "node_modules/.vite")
    if adapter == "@sveltejs/adapter-static":
        pages = _option(options, "pages") or "build"
        plan = Plan(
            framework="sveltekit",
            label=N_("SvelteKit (static)"),
            kind="static",
            build_command=build,
            output_directory=below_root(source, "svelte.config.js", pages),
            fallback=_option(options, "fallback"),
            framework_caches=caches,
            evidence=tuple(evidence),
        )
        return node_plan(package, plan)
    if adapter != "@sveltejs/adapter-node":
        hint = N_("Use @sveltejs/adapter-node for a server or @sveltejs/adapter-static for files.")
        raise UnsupportedPlan(
            what=N_("SvelteKit with {adapter}").format(adapter=adapter)
            if adapter
            else N_("SvelteKit without an adapter"),
            evidence="; ".join(evidence),
            hint=hint,
        )
    plan = Plan(
        framework="sveltekit",
        label="SvelteKit",
        kind="server",
        build_command=build,
        start_command=f"node {shlex.quote(_option(options, 'out') or 'build')}",
        env={"NODE_ENV": "production"},
        framework_caches=caches,
        evidence=tuple(evidence),
    )
    return node_plan(package, plan)


def _output_said(file: str, value: str | None) -> str:
    message = N_("{file}: output is not set") if value is None else N_("{file}: output is {value}")
    return message.format(file=file, value=repr(value))


def _words(package: Package, tool: str) -> list[str]:
    script = runs(package.scripts, tool, "build")
    return script[1] if script else []


def _has(options: object, key: str, wanted: str) -> bool:
    return _option(options, key) == wanted


def _option(options: object, key: str) -> str | None:
    entries = options.entries if isinstance(options, Object) else ()
    return next((value for name, value in entries if name == key and isinstance(value, str)), None)


def _asks_for_server(source: Source) -> bool:
    """`export const prerender = false` in a page: that page is made on request."""
    pages = [path for path in source.files if path.startswith("src/pages/")]
    for path in pages[:500]:
        tokens = tokenize(source.code(path) or "")
        for index, token in enumerate(tokens[:-4]):
            words = [each.text for each in tokens[index + 1 : index + 5]]
            if token.text == "export" and words == ["const", "prerender", "=", "false"]:
                return True
    return False
