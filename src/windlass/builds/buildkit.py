"""What BuildKit does not know, given to its RUN steps from outside: limits, and a guarded network.

The engine writes down each step before it begins: its variables, and the control group it will be
in. A word that only this build knows is among the variables, so the steps of others are left alone,
and nothing that runs in a step can pass for another's. It takes root and an engine on this machine.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from windlass.core import cgroups, netns
from windlass.core.cgroups import Group
from windlass.core.egress import Attachment, Egress
from windlass.core.engine import Engine
from windlass.core.launch_spec import PROXY_PORT, Limits
from windlass.core.threads import end

_LOOK_SECONDS = 0.01


class Step(msgspec.Struct):
    """A RUN step of this build while it runs."""

    id: str
    group: str
    is_limited: bool = False
    attached: Attachment | None = None


class Steps:
    """Looks for the steps of one build until it is over. Made by `watched`."""

    def __init__(
        self,
        folder: Path,
        word: str,
        limits: Limits,
        egress: Egress | None,
        on_refusal: Callable[[str], None],
    ) -> None:
        self.missed: list[str] = []
        """What could not be given to a step, and why."""
        self._folder = folder
        self._word = word
        self._limits = limits
        self._egress = egress
        self._on_refusal = on_refusal
        self._ours: dict[str, Step] = {}
        self._others = set(_children(folder))

    async def watch(self) -> None:
        """For ever."""
        while True:
            there = _children(self._folder)
            for id in there - self._others - self._ours.keys():
                self._meet(id)
            for id in self._ours.keys() - there:
                await self._forget(self._ours.pop(id))
            for step in self._ours.values():
                await self._give(step)
            await asyncio.sleep(_LOOK_SECONDS)

    async def close(self) -> None:
        """Nothing of them listens any more."""
        for step in self._ours.values():
            await self._forget(step)

    def _meet(self, id: str) -> None:
        try:
            said = msgspec.json.decode((self._folder / id / "config.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            # It is being written.
            return
        if any(self._word in each for each in said["process"].get("env") or ()):
            self._ours[id] = Step(id, _group_path(str(said["linux"].get("cgroupsPath"))))
        else:
            self._others.add(id)

    async def _give(self, step: Step) -> None:
        group = cgroups.made_elsewhere(step.group)
        if group is None:
            return
        if not step.is_limited:
            with contextlib.suppress(OSError):
                group.limit(self._limits)
                step.is_limited = True
        if self._egress is not None and step.attached is None:
            await self._lead_out(self._egress, step, group)

    async def _lead_out(self, egress: Egress, step: Step, group: Group) -> None:
        for pid in group.processes():
            if not _has_own_network(pid):
                continue
            with contextlib.suppress(OSError):
                network = netns.Network(pid, container=step.id)
                try:
                    listener = network.listen("127.0.0.1", PROXY_PORT)
                finally:
                    network.close()
                step.attached = await egress.attach(listener, on_refusal=self._on_refusal)
                return

    async def _forget(self, step: Step) -> None:
        if step.attached is not None:
            await step.attached.close()
        if not step.is_limited:
            self.missed.append(step.id)


@asynccontextmanager
async def watched(
    engine: Engine,
    word: str,
    limits: Limits,
    *,
    egress: Egress | None,
    on_refusal: Callable[[str], None],
) -> AsyncGenerator[Steps | None]:
    """Give every step with this word among its variables what it needs; None: not here."""
    folder = await _folder_of_steps(engine)
    if folder is None:
        yield None
        return
    steps = Steps(folder, word, limits, egress, on_refusal)
    watching = asyncio.create_task(steps.watch())
    try:
        yield steps
    finally:
        await end(watching)
        await steps.close()


async def _folder_of_steps(engine: Engine) -> Path | None:
    """Where the engine writes its steps down; None where that is not for us to see."""
    if not (engine.is_local and netns.can_enter()):
        return None
    about = cast(dict[str, Any], await engine.call("GET", "/info"))
    if about.get("DriverStatus") and about.get("Driver") == "overlayfs":
        # Images in containerd's store: steps are not written down here then.
        return None
    return Path(str(about["DockerRootDir"])) / "buildkit" / "executor"


def _has_own_network(pid: int) -> bool:
    """Whether it has left the network of whoever started it; before that it is the engine's."""
    try:
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        own = os.readlink(f"/proc/{pid}/ns/net")
        return own not in (os.readlink(f"/proc/{parent}/ns/net"), os.readlink("/proc/self/ns/net"))
    except OSError:
        return False


def _group_path(said: str) -> str:
    """As a path: `slice:prefix:name` is how systemd is asked for one."""
    slice, *rest = said.split(":")
    return f"{slice}/{'-'.join(rest)}.scope" if len(rest) == 2 else said


def _children(folder: Path) -> set[str]:
    try:
        return {each.name for each in os.scandir(folder) if each.is_dir()}
    except OSError:
        return set()
