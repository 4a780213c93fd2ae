"""What builds and releases leave on an engine, removed when nobody needs it.

Only what carries the label or the name of this instance is ever looked at; nothing is pruned.
"""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

from windlass.adapters.world import World
from windlass.core import container as containers
from windlass.core import log
from windlass.core.container_calls import remove
from windlass.core.engine import Engine, EngineAway, EngineRefused

_BASE = "base-"
_GUARD = "guard"
_SWEEP_SECONDS = 30.0


async def forget(world: World, home: Path, release: str) -> None:
    """The image and the containers of a release that is removed. Nothing is said when the engine
    is away: `sweep` finds what is left."""
    if not _was_used(home):
        return
    engine, instance = world.engine(), containers.instance_id(home)
    try:
        for each in await _containers(engine, containers.only_ours(instance, release=release)):
            await remove(engine, each["Id"])
        await _untag(engine, containers.image_of(instance, release))
    except (EngineAway, EngineRefused) as error:
        log.get().warning("containers.not_removed", release=release, error=str(error))
    finally:
        await engine.close()


async def sweep(world: World, home: Path, *, is_start: bool = False) -> None:
    """Everything of ours whose release and whose build are gone; at the start of the worker also
    what ran for one that is no more."""
    if not _was_used(home):
        return
    engine, instance = world.engine(), containers.instance_id(home)
    building = {path.name for path in _children(home / "work")}
    releases = {path.name for path in _children(home / "releases")}
    now = set[str]() if is_start else building
    try:
        async with asyncio.timeout(_SWEEP_SECONDS):
            await _sweep_builds(engine, instance, now, is_start=is_start)
            await _sweep_images(engine, instance, keep=building | releases, is_idle=not building)
            await _sweep_networks(engine, instance)
    except (EngineAway, EngineRefused, TimeoutError) as error:
        log.get().warning("containers.not_swept", error=str(error))
    finally:
        await engine.close()


async def _sweep_builds(
    engine: Engine, instance: str, building: set[str], *, is_start: bool
) -> None:
    """The guards of builds that are over, and steps that the engine did not end with them."""
    for each in await _containers(engine, containers.only_ours(instance)):
        labels = each["Labels"]
        is_step = containers.ROLE not in labels and not building
        is_release = is_start and labels.get(containers.PROCESS) == "release"
        is_guard = labels.get(containers.ROLE) == "build"
        if is_step or is_release or (is_guard and labels.get(containers.RELEASE) not in building):
            await remove(engine, each["Id"])


async def _sweep_images(engine: Engine, instance: str, *, keep: set[str], is_idle: bool) -> None:
    found = await _images(engine, {"reference": [f"windlass-{instance}"]})
    bases: list[str] = []
    for tag in sorted(tag for each in found for tag in each.get("RepoTags") or ()):
        name = tag.partition(":")[2]
        if not tag.startswith(f"windlass-{instance}:") or name == _GUARD:
            continue
        if name.startswith(_BASE):
            bases.append(tag)
        elif name not in keep:
            await _untag(engine, tag)
    if not is_idle:
        return
    for each in await _images(
        engine, {"dangling": ["true"], "label": [f"{containers.INSTANCE}={instance}"]}
    ):
        await _delete(engine, each["Id"])
    await _sweep_bases(engine, instance, bases)


async def _sweep_bases(engine: Engine, instance: str, bases: list[str]) -> None:
    """Images that we pulled, and that no release of ours runs or builds upon now."""
    ours = await _images(engine, {"label": [f"{containers.INSTANCE}={instance}"]})
    built = [await _layers(engine, each["Id"]) for each in ours]
    held = {
        each["Id"]
        for each in await _images(engine, {"reference": [f"windlass-{instance}"]})
        if any(not tag.partition(":")[2].startswith(_BASE) for tag in each["RepoTags"] or ())
    }
    for tag in bases:
        below = await _layers(engine, tag)
        is_built_upon = any(layers[: len(below)] == below for layers in built)
        if not is_built_upon and await _id(engine, tag) not in held:
            await _untag(engine, tag)


async def _sweep_networks(engine: Engine, instance: str) -> None:
    query = {"filters": containers.only_ours(instance, role="network")}
    found = cast(list[dict[str, Any]], await engine.call("GET", "/networks", query))
    for each in found:
        about = cast(dict[str, Any], await engine.call("GET", f"/networks/{each['Id']}"))
        if not about.get("Containers"):
            await _delete(engine, each["Id"], kind="networks")


async def _untag(engine: Engine, tag: str) -> None:
    """Take our name from an image. One that we pulled goes with its mark, unless somebody else
    has given it a name meanwhile."""
    try:
        about = cast(dict[str, Any], await engine.call("GET", f"/images/{tag}/json"))
    except EngineRefused as error:
        if error.answered == 404:
            return
        raise
    await _delete(engine, tag)
    others = [name for name in about.get("RepoTags") or () if name != tag]
    if tag.partition(":")[2].startswith(_BASE) and not others:
        for digest in about.get("RepoDigests") or ():
            await _delete(engine, digest)


async def _delete(engine: Engine, name: str, *, kind: str = "images") -> None:
    try:
        await engine.call("DELETE", f"/{kind}/{name}", seconds=60)
    except EngineRefused as error:
        # Gone already, or still in use: then it is looked at again.
        if error.answered not in (403, 404, 409):
            raise


async def _id(engine: Engine, name: str) -> str:
    about = cast(dict[str, Any], await engine.call("GET", f"/images/{name}/json"))
    return str(about["Id"])


async def _layers(engine: Engine, name: str) -> list[str]:
    try:
        about = cast(dict[str, Any], await engine.call("GET", f"/images/{name}/json"))
    except EngineRefused:
        return []
    return list((about.get("RootFS") or {}).get("Layers") or ())


async def _images(engine: Engine, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
    query = {"filters": json.dumps(filters)}
    return cast(list[dict[str, Any]], await engine.call("GET", "/images/json", query))


async def _containers(engine: Engine, filters: str) -> list[dict[str, Any]]:
    query: dict[str, str | int] = {"all": 1, "filters": filters}
    return cast(list[dict[str, Any]], await engine.call("GET", "/containers/json", query))


def _was_used(home: Path) -> bool:
    """An instance that never had a container asks no engine."""
    return (home / "keys" / "instance").exists()


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
