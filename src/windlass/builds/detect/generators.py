"""Sites made by one program: Hugo, Jekyll, Zola. And programs of Deno."""

import json
import re
import shlex

from windlass.builds.detect.ruby_php import gems
from windlass.builds.detect.sites import below_root
from windlass.builds.detect.source import Source, Table, table, text
from windlass.builds.detect.toolchains import built_with, inside
from windlass.builds.errors import ManifestBroken
from windlass.builds.paths import join
from windlass.builds.plan import Installed, Plan
from windlass.core.languages import N_

# Strings stay; what is never closed goes to the end, so each character is looked at once.
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|//[^\n]*|/\*(?:.*?\*/|.*\Z)', re.DOTALL)
_ENTRIES = ("main.ts", "main.js", "server.ts", "server.js", "mod.ts", "src/main.ts", "index.ts")


def hugo(source: Source, installed: Installed) -> Plan | None:
    """By its own configuration file, or a config.* that names `baseURL`."""
    file = source.first(*(f"hugo.{end}" for end in ("toml", "yaml", "yml", "json")))
    config = _read(source, file) if file else None
    if file is None:
        file = source.first("config.toml", "config.yaml", "config.yml", "config.json")
        config = _read(source, file) if file else None
        if config is None or not {"baseURL", "baseurl"} & config.keys():
            return None
    output = text((config or {}).get("publishDir")) or "public"
    plan = Plan(
        framework="hugo",
        label="Hugo",
        kind="static",
        build_command="hugo --gc --minify --baseURL /",
        output_directory=below_root(source, str(file), output),
        build_network=bool(table((config or {}).get("module")).get("imports")),
        framework_caches=(join(source.root, "resources/_gen"),),
        env={"HUGO_CACHEDIR": "/tmp/hugo"},  # noqa: S108 - the sandbox's own /tmp
        evidence=(
            N_("{file}: the configuration of {label}").format(
                file=source.named(str(file)), label="Hugo"
            ),
            N_("links start at `/`"),
        ),
    )
    return built_with("hugo", source, installed, plan)


def zola(source: Source, installed: Installed) -> Plan | None:
    file = source.first("zola.toml", "config.toml")
    config = source.toml(file) if file else {}
    if file is None or "base_url" not in config:
        return None
    output = text(config.get("output_dir")) or "public"
    plan = Plan(
        framework="zola",
        label="Zola",
        kind="static",
        build_command="zola build --base-url /",
        output_directory=below_root(source, file, output),
        evidence=(
            N_("{file}: the configuration of {label}").format(
                file=source.named(file), label="Zola"
            ),
            N_("links start at `/`"),
        ),
    )
    return built_with("zola", source, installed, plan)


def jekyll(source: Source, installed: Installed) -> Plan | None:
    """With a Gemfile its own Jekyll, without one that of the machine."""
    listed = gems(source)
    if not source.has("_config.yml") or not (
        {"jekyll", "github-pages"} & listed or not source.has("Gemfile")
    ):
        return None
    config = source.yaml("_config.yml")
    output = below_root(source, "_config.yml", text(config.get("destination")) or "_site")
    bundled = bool(listed)
    locked = source.has("Gemfile.lock")
    plan = Plan(
        framework="jekyll",
        label="Jekyll",
        kind="static",
        install_command="bundle install --jobs 2" if bundled else None,
        build_command=f"{'bundle exec ' if bundled else ''}jekyll build -d {shlex.quote(output)}",
        output_directory=output,
        lock_file=source.named("Gemfile.lock") if locked and bundled else None,
        cache_directories=(join(source.root, "vendor/bundle"),) if bundled else (),
        env={
            "JEKYLL_ENV": "production",
            **({"BUNDLE_PATH": inside(source, "vendor/bundle")} if bundled else {}),
        },
        evidence=(
            N_("{file}: the configuration of {label}").format(
                file=source.named("_config.yml"), label="Jekyll"
            ),
        ),
    )
    return built_with("ruby" if bundled else "jekyll", source, installed, plan)


def deno(source: Source, installed: Installed) -> Plan | None:
    """Its `start` task, else the usual first file."""
    file = source.first("deno.json", "deno.jsonc")
    if file is None:
        return None
    config = _commented_json(source, file)
    tasks = table(config.get("tasks"))
    entry = source.first(*_ENTRIES)
    if "start" not in tasks and entry is None:
        return None
    start = "deno task start" if "start" in tasks else f"deno run --allow-all {entry}"
    build = "deno task build" if "build" in tasks else None
    locked = source.has("deno.lock")
    cache = join(source.root, ".deno")
    fetch = f"deno cache {shlex.quote(entry)}" if entry else "deno install"
    plan = Plan(
        framework="deno",
        label="Deno",
        kind="server",
        install_command=fetch,
        build_command=build,
        start_command=start,
        lock_file=source.named("deno.lock") if locked else None,
        cache_directories=(cache,),
        env={"DENO_DIR": inside(source, ".deno"), "DENO_NO_UPDATE_CHECK": "1"},
        evidence=(
            N_("{file}: a program for Deno").format(file=source.named(file)),
            N_("started by {start}").format(start=start),
        ),
    )
    return built_with("deno", source, installed, plan)


def _read(source: Source, file: str) -> Table:
    if file.endswith(".toml"):
        return source.toml(file)
    return source.json(file) if file.endswith(".json") else source.yaml(file)


def _commented_json(source: Source, file: str) -> Table:
    """deno.jsonc may hold comments; strings that look like one stay."""
    plain = _COMMENT.sub(lambda found: found[1] or "", source.text(file))
    try:
        return table(json.loads(re.sub(r",(?=\s*[}\]])", "", plain)))
    except (ValueError, RecursionError) as error:
        raise ManifestBroken(file=source.named(file), reason=N_("it is not JSON")) from error
