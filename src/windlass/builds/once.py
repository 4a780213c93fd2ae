"""A command that is run once in the container of a finished release: the release command."""

import asyncio
from collections.abc import Callable

from windlass.adapters.world import World
from windlass.builds import release
from windlass.builds.plan import Plan
from windlass.builds.release import Release
from windlass.core import containers
from windlass.core.container import instance_id, name_of
from windlass.core.container_calls import remove
from windlass.core.egress import Egress
from windlass.core.launch import Exit
from windlass.core.settings import Settings
from windlass.core.threads import blocking

NAME = "release"


async def run(
    settings: Settings,
    world: World,
    plan: Plan,
    wanted: Release,
    command: str,
    *,
    on_output: Callable[[bytes], None],
) -> Exit:
    """How it ended; nothing of it is left then. Raises LaunchFailed, EngineAway, EngineRefused."""
    container = release.container_of(settings, plan, wanted, command, NAME)
    if container is None:
        raise ValueError("the release has no container")
    launch = await blocking(release.launch_of, settings, plan, wanted, command, NAME)
    instance = await blocking(instance_id, settings.folder)
    seconds = settings.builds.release_timeout_seconds
    engine = world.engine()
    try:
        # One that a crash left may be half through: it is begun again.
        await remove(engine, name_of(instance, container))
        running = await containers.start(
            engine,
            instance,
            container,
            launch,
            on_output=on_output,
            egress=Egress(world.app_egress),
        )
        try:
            async with asyncio.timeout(seconds):
                return await running.wait()
        except TimeoutError:
            return Exit(code=None, signal=9, reason="timeout", seconds=seconds)
        finally:
            await running.terminate(grace_seconds=1)
    finally:
        await engine.close()
