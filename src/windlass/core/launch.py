"""Runs one command in a sandbox of its own and knows exactly how it ended.

A `Launch` is pure data: what may be seen, what may be used, what is run. `start` turns it into
processes (launcher → bwrap → init → command) and `Running` watches, feeds and ends them.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from windlass.core import cgroups, launch_plan
from windlass.core.egress import Attachment, Egress
from windlass.core.launch_control import Control
from windlass.core.launch_spec import (
    SAFE_NAME,
    Bind,
    Exit,
    Launch,
    LaunchFailed,
    Limits,
    Reason,
    sentence,
)
from windlass.core.launch_watch import Watch

__all__ = [
    "Bind",
    "Exit",
    "Launch",
    "LaunchFailed",
    "Limits",
    "Reason",
    "Running",
    "is_unsafe",
    "permit_unsafe",
    "sentence",
    "start",
    "sweep",
]

_START_SECONDS = 30.0
_CHUNK = 1 << 16
_permitted: list[bool] = []


def permit_unsafe() -> None:
    """From now on this process runs launches without bubblewrap where that is missing."""
    _permitted.append(True)


def is_unsafe() -> bool:
    """Whether launches of this process now run without bubblewrap."""
    return bool(_permitted) and shutil.which("bwrap") is None


class Running:
    """One started launch. Made by `start`."""

    pid: int
    """The host's number of the sandbox's first process."""

    def __init__(
        self,
        launch: Launch,
        process: subprocess.Popen[bytes],
        control: Control,
        group: cgroups.Group | None,
        output: "_Output",
    ) -> None:
        self.launch = launch
        self.pid = 0
        self._process = process
        self._control = control
        self._group = group
        self._output = output
        self._watch = Watch(launch, group)
        self._pidfd = -1
        self._attached: list[Attachment] = []
        self._reason: Reason | None = None
        self._began = time.monotonic()
        self._end: asyncio.Task[Exit] = asyncio.create_task(self._run())

    async def wait(self, *, timeout_seconds: float | None = None) -> Exit:
        """How it ended, once every process is gone and every byte was handed on."""
        done, _ = await asyncio.wait({self._end}, timeout=timeout_seconds)
        return self._end.result() if done else await self.kill("timeout")

    async def terminate(self, *, grace_seconds: float) -> Exit:
        """SIGTERM to the command and its group; what is left after the grace is killed."""
        if not self._end.done():
            with contextlib.suppress(OSError):
                self._control.terminate()
        done, _ = await asyncio.wait({self._end}, timeout=grace_seconds)
        return self._end.result() if done else await self.kill()

    async def kill(self, reason: Reason = "cancelled") -> Exit:
        """Kill everything inside; returns when the kernel has confirmed it."""
        self._strike(reason)
        return await asyncio.shield(self._end)

    async def dial(self, port: int) -> socket.socket:
        """A connected non-blocking TCP socket to 127.0.0.1:port inside; OSError when refused."""
        return await self._control.dial(port)

    async def open(self, egress: Egress | None, refused: Callable[[str], None]) -> None:
        """Wait for the first process inside and lead its listeners out. For `start` alone."""
        hello = self._control.hello
        await asyncio.wait({hello, self._end}, return_when=asyncio.FIRST_COMPLETED)
        if not hello.done() or hello.cancelled() or self._end.done():
            hello.cancel()
            await self._end
            raise LaunchFailed(detail=self._output.held() or "bwrap ended without a word")
        self.pid, listeners = hello.result()
        self._pidfd = os.pidfd_open(self.pid)
        targets = (None, *self.launch.connect)
        for listener, target in zip(listeners, targets, strict=False):
            if egress is None:
                listener.close()
                continue
            if target is None:
                made = await egress.attach(listener, extra=self.launch.connect, on_refusal=refused)
            else:
                made = await egress.tunnel(listener, target, on_refusal=refused)
            self._attached.append(made)
        self._output.release()
        self._control.go()

    def _strike(self, reason: Reason) -> None:
        """The kernel kills the whole namespace with its first process."""
        if self._process.returncode is not None:
            return
        self._reason = self._reason or reason
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        else:
            self._process.kill()

    async def _run(self) -> Exit:
        """From start to end: watch, then make sure that nothing is left."""
        watching = asyncio.create_task(self._look())
        try:
            await _ended(self._process.pid)
        except asyncio.CancelledError:
            # The event loop is shutting down; nothing may outlive it.
            self._strike("cancelled")
            raise
        finally:
            watching.cancel()
            self._process.wait()
        if self._pidfd >= 0:
            await _readable(self._pidfd)
        seconds = time.monotonic() - self._began
        await self._output.finish()
        code, number, temporary_full = self._status()
        failed = code != 0
        reason = self._reason or self._watch.verdict(failed=failed, temporary_full=temporary_full)
        await self._clean()
        return Exit(code, number, reason, self._watch.peak_memory_bytes, round(seconds, 3))

    def _status(self) -> tuple[int | None, int | None, bool]:
        self._control.read()
        if self._control.ended is None:
            # It did not live to tell, so it was killed.
            return None, int(signal.SIGKILL), False
        status, temporary_full = self._control.ended
        code = os.waitstatus_to_exitcode(status)
        return (code, None, temporary_full) if code >= 0 else (None, -code, temporary_full)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self.launch.watch_seconds)
            if self.pid and (reason := self._watch.look(self.pid)):
                self._strike(reason)

    async def _clean(self) -> None:
        for attachment in self._attached:
            await attachment.close()
        self._control.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self._group:
            await _vanish(self._group)


class _Output:
    """Reads the pipe and hands every byte on; held back until the sandbox stands."""

    def __init__(self, fd: int, on_output: Callable[[bytes], None]) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._on_output = on_output
        self._held: list[bytes] | None = []
        self._closed = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(fd, self._read)

    def held(self) -> str:
        """What was said before the sandbox stood: why it could not."""
        return b"".join(self._held or []).decode(errors="replace").strip()

    def release(self) -> None:
        """From now on the output is the command's."""
        held, self._held = self._held or [], None
        for chunk in held:
            self._on_output(chunk)

    async def finish(self) -> None:
        """Read to the end, which comes when the last process that could write is gone."""
        await asyncio.wait({self._closed}, timeout=5)
        self._close()

    def _read(self) -> None:
        try:
            chunk = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._close()
        elif self._held is None:
            self._on_output(chunk)
        else:
            self._held.append(chunk)

    def _close(self) -> None:
        if not self._closed.done():
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._closed.set_result(None)


async def start(
    launch: Launch,
    *,
    on_output: Callable[[bytes], None],
    egress: Egress | None = None,
    on_refusal: Callable[[str], None] | None = None,
) -> Running:
    """Start it; `on_output` gets every byte in order, `on_refusal` every address refused.

    Without `on_refusal` the refusals go into the output. Raises LaunchFailed.
    """
    launch_plan.check(launch)
    bwrap = shutil.which("bwrap")
    if bwrap is None and not is_unsafe():
        raise LaunchFailed(detail="bwrap is missing: apt-get install bubblewrap")

    def refused(line: str) -> None:
        on_output(f"windlass: {line}\n".encode())

    try:
        group = cgroups.create(launch.name, launch.limits)
    except OSError as error:
        raise LaunchFailed(detail=f"no control group: {error}") from None
    try:
        running = _spawn(launch, bwrap, group, on_output)
    except OSError as error:
        if group:
            cgroups.clear(group)
        raise LaunchFailed(detail=str(error)) from None
    try:
        async with asyncio.timeout(_START_SECONDS):
            await running.open(egress, on_refusal or refused)
    except TimeoutError:
        await running.kill()
        raise LaunchFailed(detail=f"not ready within {_START_SECONDS:.0f} s") from None
    except BaseException:
        await running.kill()
        raise
    return running


def _spawn(
    launch: Launch,
    bwrap: str | None,
    group: cgroups.Group | None,
    on_output: Callable[[bytes], None],
) -> Running:
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Before anybody can write, or the first message would come without its sender.
        near.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.callback(near.close)
        theirs.callback(far.close)
        read, write = os.pipe()
        ours.callback(os.close, read)
        theirs.callback(os.close, write)
        first = _memory(launch_plan.init_input(launch, count_processes=group is None), theirs)
        spec = launch_plan.enter_input(
            launch,
            bwrap=bwrap,
            cgroups=group.procs() if group else [],
            owner=cgroups.owner(),
            fds=(far.fileno(), first),
        )
        second = _memory(spec, theirs)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(launch_plan.ENTER), str(second)],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=write,
            cwd="/",
            env={},
            pass_fds=(far.fileno(), first, second),
            start_new_session=True,
        )
        ours.pop_all()
    output = _Output(read, on_output)
    return Running(launch, process, Control(near), group, output)


def _memory(content: bytes, stack: contextlib.ExitStack) -> int:
    fd = os.memfd_create("windlass")
    stack.callback(os.close, fd)
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


async def _ended(pid: int) -> None:
    """Returns when our child is a zombie; the caller reaps it."""
    fd = os.pidfd_open(pid)
    try:
        await _readable(fd)
    finally:
        os.close(fd)


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def _vanish(group: cgroups.Group) -> None:
    """Remove the group's folders; a process that is just ending may hold them for a moment."""
    pause = 0.001
    while not group.remove() and pause < 2:
        group.kill()
        await asyncio.sleep(pause)
        pause *= 1.5


def sweep(prefix: str) -> list[str]:
    """Kill and remove what earlier supervisors, now dead, left of launches named `prefix…`.

    Safe beside running launches: what belongs to a living supervisor is left alone.
    """
    if prefix and not SAFE_NAME.fullmatch(prefix):
        return []
    swept: set[str] = set()
    for pid, launch_name in _orphans(prefix):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        swept.add(launch_name)
    for name, group in cgroups.leftovers(prefix).items():
        cgroups.clear(group)
        swept.add(name.split(".")[1])
    return sorted(swept)


def _orphans(prefix: str) -> list[tuple[int, str]]:
    """Sandboxes whose supervisor is dead: bwrap's arguments name the launch and its owner."""
    orphans: list[tuple[int, str]] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if launch_plan.INIT_PATH.encode() not in argv:
            continue
        name, owner = argv[argv.index(launch_plan.INIT_PATH.encode()) + 1 :][:2]
        if name.startswith(prefix.encode()) and not cgroups.is_alive(owner.decode()):
            orphans.append((int(folder.name), name.decode()))
    return orphans
