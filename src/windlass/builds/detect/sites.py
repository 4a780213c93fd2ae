"""Static sites made by Node: which tool, which script runs it, and where its output goes."""

import shlex

import msgspec
from msgspec.structs import replace

from windlass.builds.detect.javascript import Config
from windlass.builds.detect.node import node_plan
from windlass.builds.detect.packages import Package
from windlass.builds.detect.scripts import flag, program, runs
from windlass.builds.detect.source import Source
from windlass.builds.detect.values import MISSING, Unknown
from windlass.builds.errors import OutputOutside
from windlass.builds.paths import join, normal
from windlass.builds.plan import Plan
from windlass.core.languages import N_


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One static site generator or bundler."""

    framework: str
    label: str
    dependency: str
    command: tuple[str, ...]
    """What a script runs when it builds: the program and its subcommand."""
    output: str
    flags: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    key: str = ""
    """Where the configuration names the output folder."""
    base: str = ""
    """Where the configuration names the path below which the site expects to be."""
    spa: bool = False
    caches: tuple[str, ...] = ()
    env: dict[str, str] = {}


def config_names(stem: str) -> tuple[str, ...]:
    """The files that a configuration of this name may be in."""
    return tuple(f"{stem}.{end}" for end in ("ts", "mts", "js", "mjs", "cjs", "cts"))


# Tools that build on others come first: a VitePress project depends on Vite too.
TOOLS = (
    Tool(
        framework="docusaurus",
        label="Docusaurus",
        dependency="@docusaurus/core",
        command=("docusaurus", "build"),
        output="build",
        flags=("--out-dir",),
        configs=config_names("docusaurus.config"),
        base="baseUrl",
        caches=(".docusaurus", "node_modules/.cache"),
    ),
    Tool(
        framework="vitepress",
        label="VitePress",
        dependency="vitepress",
        command=("vitepress", "build"),
        output=".vitepress/dist",
        flags=("--outDir",),
    ),
    Tool(
        framework="vuepress",
        label="VuePress",
        dependency="vuepress",
        command=("vuepress", "build"),
        output=".vuepress/dist",
        flags=("--dest", "-d"),
    ),
    Tool(
        framework="eleventy",
        label="Eleventy",
        dependency="@11ty/eleventy",
        command=("eleventy",),
        output="_site",
        flags=("--output",),
        configs=(".eleventy.js", *config_names("eleventy.config")),
        key="dir.output",
        caches=(".cache",),
    ),
    Tool(
        framework="gatsby",
        label="Gatsby",
        dependency="gatsby",
        command=("gatsby", "build"),
        output="public",
        caches=(".cache",),
        env={"GATSBY_TELEMETRY_DISABLED": "1"},
    ),
    Tool(
        framework="create-react-app",
        label="Create React App",
        dependency="react-scripts",
        command=("react-scripts", "build"),
        output="build",
        spa=True,
        caches=("node_modules/.cache",),
    ),
    Tool(
        framework="vue-cli",
        label="Vue CLI",
        dependency="@vue/cli-service",
        command=("vue-cli-service", "build"),
        output="dist",
        flags=("--dest",),
        configs=config_names("vue.config"),
        key="outputDir",
        base="publicPath",
        spa=True,
        caches=("node_modules/.cache",),
    ),
    Tool(
        framework="parcel",
        label="Parcel",
        dependency="parcel",
        command=("parcel", "build"),
        output="dist",
        flags=("--dist-dir",),
        caches=(".parcel-cache",),
    ),
    Tool(
        framework="hexo",
        label="Hexo",
        dependency="hexo",
        command=("hexo", "generate"),
        output="public",
    ),
    Tool(
        framework="vite",
        label="Vite",
        dependency="vite",
        command=("vite", "build"),
        output="dist",
        flags=("--outDir",),
        configs=config_names("vite.config"),
        key="build.outDir",
        base="base",
        spa=True,
        caches=("node_modules/.vite",),
    ),
    Tool(
        framework="storybook",
        label="Storybook",
        dependency="storybook",
        command=("storybook", "build"),
        output="storybook-static",
        flags=("--output-dir", "-o"),
        caches=("node_modules/.cache",),
        env={"STORYBOOK_DISABLE_TELEMETRY": "1"},
    ),
)


# Their output lies beside the documents, in a folder that the command names.
_BESIDE = frozenset(["vitepress", "vuepress"])


def tool_of(package: Package, wanted: str | None = None) -> Tool | None:
    """The generator that the package depends on; `wanted` is a framework the user chose."""
    if wanted:
        return next((tool for tool in TOOLS if tool.framework == wanted), None)
    found = [tool for tool in TOOLS if tool.dependency in package.dependencies]
    if len(found) > 1 and found[-1].framework == "storybook" and _is_library(package, found[0]):
        return found[-1]
    return found[0] if found else None


def _is_library(package: Package, tool: Tool) -> bool:
    """Components without a page of their own: Storybook is the site, the bundler packs them."""
    return not package.source.has("index.html") and (
        not runs(package.scripts, *tool.command)
        or bool({"exports", "module"} & package.content.keys())
    )


def site(package: Package, tool: Tool) -> Plan:
    source = package.source
    script = runs(package.scripts, *tool.command)
    evidence = (
        [package.evidence(tool.dependency)] if tool.dependency in package.dependencies else []
    )
    warnings: list[str] = []
    words = script[1] if script else list(tool.command)
    if script:
        build = package.manager.run(shlex.quote(script[0]))
        evidence.append(
            N_("script `{script}` runs {command}").format(
                script=script[0], command=shlex.join(words)[:120]
            )
        )
    elif "build" in package.scripts:
        build = package.manager.run("build")
    else:
        folder = _documents_folder(source, words, tool) if tool.framework in _BESIDE else "."
        words = words if folder == "." else [*words, folder]
        build = shlex.join(words)
        evidence.append(
            N_("no script runs {program}: it is run directly").format(program=program(words))
        )
    if tool.framework in _BESIDE:
        found = _documents(source, words, tool, evidence, warnings)
    else:
        found = _output(source, tool, words, evidence, warnings)
    not_found_page = source.first("public/404.html", "static/404.html")
    spa = tool.spa and not not_found_page and not _many_pages(source, tool)
    if spa:
        evidence.append(
            N_("{label} builds a single page: unknown paths get index.html").format(
                label=tool.label
            )
        )
    plan = Plan(
        framework=tool.framework,
        label=tool.label,
        kind="static",
        build_command=build,
        output_directory=found,
        fallback="index.html" if spa else None,
        framework_caches=tool.caches,
        env=tool.env,
        evidence=tuple(evidence),
        warnings=tuple(warnings),
    )
    return node_plan(package, plan)


def config_of(source: Source, names: tuple[str, ...]) -> tuple[str, Config] | None:
    path = source.first(*names)
    code = source.code(path) if path else None
    return (path, Config(code)) if path and code is not None else None


def below_root(source: Source, file: str, folder: str) -> str:
    """An output folder as the root directory sees it. Raises OutputOutside."""
    absolute = folder.removeprefix(f"/app/{source.root}/")
    plain = None if absolute.startswith("/") else normal(absolute)
    if plain is None:
        raise OutputOutside(file=source.named(file), folder=folder[:200], root=source.root)
    return plain


def warn_of_base(config: Config, key: str, file: str, warnings: list[str]) -> None:
    """A site made for `/docs/` asks for its files there, and finds none at the top of a host."""
    base = config.get(key)
    if isinstance(base, str) and base.strip("./") and "://" not in base:
        warnings.append(
            N_("{file}: {key} is {base}; a site at the top of a host needs `/`.").format(
                file=file, key=key, base=repr(base[:80])
            )
        )


def _output(
    source: Source, tool: Tool, words: list[str], evidence: list[str], warnings: list[str]
) -> str:
    """By the script's flag, then by the configuration file, then the tool's own default."""
    flagged = flag(words, *tool.flags)
    found = config_of(source, tool.configs)
    if found and tool.base:
        warn_of_base(found[1], tool.base, found[0], warnings)
    if flagged:
        evidence.append(
            N_("the script's {flag} names the output folder {folder}").format(
                flag=tool.flags[0], folder=flagged
            )
        )
        return below_root(source, "package.json", flagged)
    if found is None:
        evidence.append(
            N_("output folder {output}: {label}'s default").format(
                output=tool.output, label=tool.label
            )
        )
        return tool.output
    file, config = found
    folder = _configured(tool, config)
    if isinstance(folder, Unknown):
        warnings.append(
            N_("{file}: {key} is computed; {output} is assumed. Set the output directory.").format(
                file=file, key=tool.key, output=tool.output
            )
        )
        return tool.output
    # Vite's own `root` is where its output folder starts from.
    start = config.text("root") if tool.framework == "vite" else None
    prefix = f"{start}/" if isinstance(start, str) else ""
    if folder is None:
        evidence.append(
            N_("output folder {output}: {label}'s default ({file} names none)").format(
                output=tool.output, label=tool.label, file=file
            )
        )
        return below_root(source, file, prefix + tool.output)
    evidence.append(
        N_("{file}: {key} names the output folder {folder}").format(
            file=file, key=tool.key, folder=folder
        )
    )
    return below_root(source, file, folder if folder.startswith("/") else prefix + folder)


def _configured(tool: Tool, config: Config) -> str | Unknown | None:
    if not tool.key:
        return None
    if tool.framework == "eleventy":
        for value in config.calls("setOutputDirectory"):
            return value if isinstance(value, str) else Unknown()
        exported = config.exports("config")
        if exported == MISSING and config.get(tool.key) == MISSING:
            return None
    return config.text(tool.key)


def _many_pages(source: Source, tool: Tool) -> bool:
    """Vite with several entry pages is a site of pages, not a single-page app."""
    found = config_of(source, tool.configs)
    pages = [path for path in source.files if path.endswith(".html") and "/" not in path]
    return bool(found and found[1].get("build.rollupOptions.input") != MISSING) and len(pages) > 1


def _documents_folder(source: Source, words: list[str], tool: Tool) -> str:
    """Where the documents are: what the script names, else where `.vitepress` lies."""
    named = [word for word in words[words.index("build") + 1 :] if not word.startswith("-")]
    if named:
        return normal(named[0]) or "."
    own = f"{tool.output.partition('/')[0]}/"
    homes = {path.partition(own)[0] for path in source.files if own in path}
    return min(homes, key=lambda home: (home.count("/"), home), default="").rstrip("/") or "."


def _documents(
    source: Source, words: list[str], tool: Tool, evidence: list[str], warnings: list[str]
) -> str:
    """VitePress writes below its documents; VuePress too, but its `dest` starts from the top."""
    folder = _documents_folder(source, words, tool) if "build" in words else "."
    key, start = ("outDir", folder) if tool.framework == "vitepress" else ("dest", ".")
    configs = config_names(join(folder, f"{tool.output.partition('/')[0]}/config"))
    found = config_of(source, configs)
    if found:
        warn_of_base(found[1], "base", found[0], warnings)
    placed = replace(tool, configs=configs, key=key, output=join(folder, tool.output))
    if found and isinstance(written := found[1].text(key), str):
        evidence.append(
            N_("{file}: {key} names the output folder {folder}").format(
                file=found[0], key=key, folder=written
            )
        )
        return below_root(source, found[0], f"{start}/{written}")
    return _output(source, placed, words, evidence, warnings)
