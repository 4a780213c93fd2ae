"""From the files of a build to a release on disk: one immutable folder that the edge can serve."""

from pathlib import Path

import msgspec

from windlass.adapters import sandbox
from windlass.adapters.world import World
from windlass.builds.detect.toolchains import running_on
from windlass.builds.pipeline import Built
from windlass.builds.plan import Plan, ProcessSettings
from windlass.core import engine, netns, process, site, trees
from windlass.core.container import Container
from windlass.core.engine import Engine
from windlass.core.launch import Launch, Limits
from windlass.core.manifest import Entry, Manifest
from windlass.core.process import WEB, Process
from windlass.core.settings import Settings
from windlass.core.site import File, Site
from windlass.core.variants import variants

_SAID_TO_US = frozenset(
    [
        *("_redirects", "_headers", "vercel.json", "netlify.toml", "railway.json"),
        *("railway.toml", "render.yaml", "fly.toml"),
    ]
)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is made of, besides its files."""

    deployment: str
    uid: int | None
    env: dict[str, str]
    secrets: tuple[str, ...]
    is_preview: bool
    project: str = ""


def assemble(settings: Settings, world: World, built: Built, release: Release) -> Site:
    """Write `releases/<deployment>`; an unfinished one of an earlier attempt goes first. Blocks.

    `site.json` is written last: a folder without it is not a release.
    """
    folder = site.folder(settings.folder, release.deployment)
    trees.remove_tree(folder)
    folder.mkdir(parents=True, mode=0o755)
    if built.plan.kind == "static":
        made = _static(world, built, release, folder)
    else:
        made = _server(settings, world, built, release, folder)
    site.write(folder, made)
    trees.sync_folder(folder)
    return made


def assemble_again(
    settings: Settings, world: World, plan: Plan, release: Release, *, of: str
) -> None:
    """The files of the release `of` once more, with variables of its own. Blocks.

    Nothing is copied. It is no release before `finish_again`, so what comes in between may fail.
    """
    folder = site.folder(settings.folder, release.deployment)
    trees.remove_tree(folder)
    folder.mkdir(parents=True, mode=0o755)
    (folder / "files").symlink_to(f"../{of}/files")
    if plan.kind != "static":
        _seal(settings, world, plan, release)


def finish_again(settings: Settings, release: Release, *, of: str) -> None:
    """Now it can be served. Blocks."""
    folder = site.folder(settings.folder, release.deployment)
    known = site.read(site.folder(settings.folder, of))
    made = msgspec.structs.replace(
        known, deployment=release.deployment, preview=release.is_preview, project="", idle_seconds=0
    )
    site.write(folder, made)
    trees.sync_folder(folder)


def _static(world: World, built: Built, release: Release, folder: Path) -> Site:
    # What these say is heard already, and may hold more than visitors should read.
    shown = [entry for entry in built.manifest if entry.path not in _SAID_TO_US]
    compressed = variants(world.blobs, shown)
    paths = {entry.path for entry in shown}
    files: dict[str, File] = {}
    extra: Manifest = []
    targets = {entry.path: entry for entry in shown if entry.mode != "link"}
    for entry in shown:
        found = targets.get(entry.path) or _behind(entry, targets)
        if found is None:
            continue
        gzip, brotli = compressed.get(found.path, (None, None))
        sizes = [0, 0]
        for place, (variant, ending) in enumerate(((gzip, ".gz"), (brotli, ".br"))):
            # A file of the site itself is never replaced by one of ours.
            if variant is not None and entry.path + ending not in paths:
                extra.append(msgspec.structs.replace(variant, path=entry.path + ending))
                sizes[place] = variant.size
        files[entry.path] = File(found.sha256, found.size, *sizes)
    world.blobs.link_tree(sorted([*shown, *extra], key=_path), folder / "files")
    return Site(
        deployment=release.deployment,
        kind="static",
        files=files,
        fallback=built.plan.fallback,
        clean_urls=built.plan.clean_urls,
        rules=built.rules,
        preview=release.is_preview,
        project=release.project if release.is_preview else "",
    )


def _behind(link: Entry, files: dict[str, Entry]) -> Entry | None:
    """The file that a link of a static site leads to; a link to a folder is not served."""
    place = link.path.split("/")[:-1]
    for part in link.target.split("/"):
        if part == "..":
            place = place[:-1]
        elif part not in {"", "."}:
            place.append(part)
    return files.get("/".join(place))


def _server(settings: Settings, world: World, built: Built, release: Release, folder: Path) -> Site:
    world.blobs.link_tree(built.manifest, folder / "files")
    _seal(settings, world, built.plan, release)
    return Site(
        deployment=release.deployment,
        kind="server" if built.plan.kind == "server" else "worker",
        health_path=built.plan.health_path,
        port=built.plan.port,
        rules=built.rules,
        start_timeout_seconds=_or(
            built.plan.start_timeout_seconds, settings.apps.start_timeout_seconds
        ),
        drain_seconds=_or(built.plan.drain_seconds, settings.apps.drain_seconds),
        preview=release.is_preview,
        project=release.project if release.is_preview else "",
        idle_seconds=settings.apps.preview_idle_minutes * 60 if release.is_preview else 0,
    )


def _seal(settings: Settings, world: World, plan: Plan, release: Release) -> None:
    web = _process(settings, world, plan, release, WEB)
    others = tuple(_process(settings, world, plan, release, name) for name in plan.processes)
    sealed = msgspec.structs.replace(web, others=others)
    process.write(settings.folder, release.deployment, sealed, settings.secrets.data_keys)


def _process(settings: Settings, world: World, plan: Plan, release: Release, name: str) -> Process:
    """How one process of the app is started and kept running."""
    said = plan.process_settings.get(name, ProcessSettings())
    command = plan.processes[name] if name != WEB else plan.start_command or ""
    return Process(
        launch=launch_of(settings, plan, release, command, name),
        container=container_of(settings, plan, release, command, name),
        name=name,
        mask=release.secrets,
        egress=world.app_egress,
        restart=said.restart,
        tries=settings.apps.restart_tries,
        grace_seconds=_or(said.grace_seconds, settings.apps.grace_seconds),
    )


def launch_of(settings: Settings, plan: Plan, release: Release, command: str, name: str) -> Launch:
    """How a command of the finished release is run: that of a process, or the release command."""
    title, launch = _names(release.deployment, name)
    if plan.container is not None:
        return Launch(
            name=launch,
            argv=("-",),
            env={"WINDLASS": "1", "PORT": str(plan.port), **plan.env, **release.env},
            limits=limits_of(settings, plan, name),
            network="egress",
            connect=plan.connect,
        )
    folder = site.folder(settings.folder, release.deployment)
    script = folder / f"{title}.sh"
    script.write_text(plan.script(command))
    script.chmod(0o644)
    return sandbox.app(
        name=launch,
        release=(folder / "files").resolve(),
        script=script,
        port=plan.port,
        uid=release.uid,
        env={"WINDLASS": "1", "NODE_ENV": "production", **plan.env, **release.env},
        limits=limits_of(settings, plan, name),
        connect=plan.connect,
        needs=running_on(plan.runtime),
    )


def container_of(
    settings: Settings, plan: Plan, release: Release, command: str, name: str
) -> Container | None:
    """The container of a process, where an engine runs it; a command goes to the image's shell."""
    known = plan.container
    if known is None:
        return None
    is_open = settings.containers.open_network and not _can_guard(settings)
    return Container(
        image=known.digest or "",
        named=known.image or known.dockerfile or "",
        project=release.project,
        release=release.deployment,
        process=name,
        port=plan.port,
        command=("/bin/sh", "-c", command) if command else None,
        health=known.health if name == WEB and not command else (),
        network="open" if is_open else "guarded",
        # What runs once is not tried twice.
        read_only=bool(known.read_only) if name == "release" else known.read_only,
    )


def _can_guard(settings: Settings) -> bool:
    return Engine(engine.find(settings.docker_host)).is_local and netns.can_enter()


def limits_of(settings: Settings, plan: Plan, name: str) -> Limits:
    """What was said about a process, as far as the server allows it."""
    apps, said = settings.apps, plan.process_settings.get(name, ProcessSettings())
    memory = (said.memory_mb << 20) if said.memory_mb else apps.memory_bytes
    memory = min(memory, max(apps.max_memory_bytes, apps.memory_bytes))
    return Limits(
        memory_bytes=memory,
        cpus=min(_or(said.cpus, apps.cpus), max(apps.max_cpus, apps.cpus)),
        processes=apps.processes,
        tmp_bytes=memory // 2,
    )


def _names(deployment: str, name: str) -> tuple[str, str]:
    """What the script and the launch of a process are called."""
    match name:
        case "web":
            return "start", f"app-{deployment}"
        case "release":
            return "release", f"release-{deployment}"
        case _:
            return f"process-{name}", f"app-{deployment}-{name}"


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _path(entry: Entry) -> str:
    return entry.path
