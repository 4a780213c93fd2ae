"""What an engine is asked about one container of ours: found or created, with the network of its
project; what it says, a command inside; gone.
"""

import asyncio
import contextlib
from typing import Any, NamedTuple, cast

from windlass.core import container as containers
from windlass.core.container import Container
from windlass.core.engine import Engine, EngineAway, EngineRefused
from windlass.core.launch_spec import Launch, LaunchFailed


class Wanted(NamedTuple):
    """A container of an instance, and where it is to be."""

    engine: Engine
    instance: str
    container: Container
    launch: Launch

    @property
    def name(self) -> str:
        return containers.name_of(self.instance, self.container)


async def find(wanted: Wanted) -> dict[str, Any] | None:
    """The container of this release that runs already; any other of this name is removed. Raises
    LaunchFailed when the name is somebody's."""
    try:
        found = await inspect(wanted.engine, wanted.name)
    except EngineRefused as error:
        if error.answered == 404:
            return None
        raise
    ours = found["Config"].get("Labels") or {}
    if ours.get(containers.INSTANCE) != wanted.instance:
        raise LaunchFailed(detail=f"the name {wanted.name} is taken by somebody's container")
    body = containers.create_body(wanted.instance, wanted.container, wanted.launch, read_only=True)
    is_same = ours.get(containers.SPEC) == body["Labels"][containers.SPEC]
    if is_same and found["State"].get("Running"):
        return found
    await remove(wanted.engine, found["Id"])
    return None


async def create(wanted: Wanted, *, read_only: bool) -> dict[str, Any]:
    """A new one, started. Raises LaunchFailed with what the engine says against it."""
    body = containers.create_body(
        wanted.instance, wanted.container, wanted.launch, read_only=read_only
    )
    engine, id, is_last = wanted.engine, "", False
    while True:
        await _ensure_network(wanted)
        try:
            made = await engine.call(
                "POST", "/containers/create", {"name": wanted.name}, body=body, seconds=60
            )
            id = str(cast(dict[str, Any], made)["Id"])
            await engine.call("POST", f"/containers/{id}/start", seconds=60)
            return await inspect(engine, id)
        except EngineRefused as error:
            await remove(engine, id)
            if is_last or "network" not in error.detail:
                raise LaunchFailed(detail=_explained(error, wanted.container)) from None
            # Somebody tidied up in between.
            is_last = True


async def _ensure_network(wanted: Wanted) -> None:
    name = containers.network_of(wanted.instance, wanted.container.project)
    try:
        found = await wanted.engine.call("GET", f"/networks/{name}")
    except EngineRefused as error:
        if error.answered != 404:
            raise
    else:
        ours = cast(dict[str, Any], found).get("Labels") or {}
        if ours.get(containers.INSTANCE) != wanted.instance:
            raise LaunchFailed(detail=f"the network {name} is somebody else's")
        return
    with contextlib.suppress(EngineRefused):
        # Two processes of one release come at the same time: the second finds it there.
        body = containers.network_body(wanted.instance, wanted.container)
        await wanted.engine.call("POST", "/networks/create", body=body)


async def inspect(engine: Engine, name: str) -> dict[str, Any]:
    """What the engine knows about a container, by its name or id."""
    return cast(dict[str, Any], await engine.call("GET", f"/containers/{name}/json"))


async def remove(engine: Engine, id: str) -> None:
    """No such container any more, nor what it wrote. Nothing is said when the engine is away:
    whoever looks for left-overs finds it."""
    if id:
        with contextlib.suppress(EngineAway, EngineRefused):
            await engine.call("DELETE", f"/containers/{id}", {"force": 1, "v": 1}, seconds=60)


async def run_inside(engine: Engine, id: str, argv: list[str]) -> int | None:
    """Run a command in a container to its end; its exit code."""
    made = await engine.call("POST", f"/containers/{id}/exec", body={"Cmd": argv})
    run = str(cast(dict[str, Any], made)["Id"])
    await engine.call("POST", f"/exec/{run}/start", body={"Detach": True})
    while True:
        found = cast(dict[str, Any], await engine.call("GET", f"/exec/{run}/json"))
        if not found.get("Running"):
            return found.get("ExitCode")
        await asyncio.sleep(0.1)


async def sweep(engine: Engine, instance: str, *, keep: frozenset[str]) -> list[str]:
    """Remove containers of this instance whose release is not among those to keep; their names."""
    query = {"all": 1, "filters": containers.only_ours(instance, role="app")}
    found = cast(list[dict[str, Any]], await engine.call("GET", "/containers/json", query))
    gone = [
        each
        for each in found
        if each["Labels"].get(containers.RELEASE) not in keep
        # A release command is its worker's.
        and each["Labels"].get(containers.PROCESS) != "release"
    ]
    for each in gone:
        await remove(engine, each["Id"])
    return [str(each["Names"][0]).lstrip("/") for each in gone]


class Frames:
    """Takes the engine's stream of output apart: eight bytes of head, then as many as it says."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The output in what came so far, whole frames only."""
        self._held += chunk
        found: list[bytes] = []
        while len(self._held) >= 8:
            size = int.from_bytes(self._held[4:8])
            if len(self._held) < 8 + size:
                break
            found.append(self._held[8 : 8 + size])
            self._held = self._held[8 + size :]
        return found


def _explained(error: EngineRefused, container: Container) -> str:
    if error.answered == 404 and "image" in error.detail.lower():
        return (
            f"the image {container.named} ({container.image[:19]}…) is no longer on the engine:"
            " deploy again"
        )
    return error.detail
