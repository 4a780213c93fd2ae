"""Git in a sandbox of its own: what it may read and say, how long and how much it may write."""

import asyncio
import os
import re
import time
from pathlib import Path

from windlass.adapters import git_errors, sandbox
from windlass.adapters.sandbox_registries import certificates
from windlass.core import launch, trees
from windlass.core.egress import Egress
from windlass.core.launch import Bind, Exit, Launch, Limits
from windlass.core.manifest import TreeLimits, size_text

_LIMITS = Limits(processes=128, tmp_bytes=256 << 20)
_SAID_BYTES = 256 << 10
_LOOK_SECONDS = 0.25

_CONFIG = (
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "core.hooksPath=/dev/null",
    "core.symlinks=true",  # what they point to is checked when the folder is read
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "credential.helper=",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
    "pack.threads=2",
)
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh",
    "GIT_LFS_SKIP_SMUDGE": "1",
    # The proxy says in a header what went wrong; Git passes only the number on.
    "GIT_TRACE_CURL": "1",
    "GIT_TRACE_CURL_NO_DATA": "1",
    "HOME": "/tmp/home",  # noqa: S108 — inside
    "LC_ALL": "C",
    # Whatever the URL says goes through the guarded proxy, also what calls itself local.
    "NO_PROXY": "",
    "no_proxy": "",
}


class Box:
    """A folder that Git works in, seen by it as `/app`; the time left, what was said and refused.

    Without an `egress` there is no network.
    """

    def __init__(
        self,
        folder: Path,
        *,
        uid: int | None,
        egress: Egress | None,
        seconds: float,
        limits: TreeLimits,
    ) -> None:
        self.folder = folder
        self.uid = uid
        self.egress = egress
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.limits = limits
        self.binds: tuple[Bind, ...] = ()
        self.env: dict[str, str] = {}
        self.seccomp = b""
        self.refusals: list[str] = []
        self.too_large = 0

    def make(self) -> None:
        """The folder, and what every Git sees. Blocks."""
        app = self.folder / "app"
        app.mkdir(parents=True)
        trust = certificates()
        self.binds = (Bind(str(app.absolute()), "/app", writable=True), *trust.binds)
        self.env = {**_ENVIRONMENT, **trust.env, "PATH": ":".join(sandbox.toolchain().path)}
        self.seccomp = sandbox.seccomp()
        if self.uid is not None:
            os.chown(app, self.uid, self.uid)

    async def git(self, step: str, *arguments: str, network: bool = True) -> tuple[Exit, str]:
        """Run `git` to its end, however that comes about; its end and its output."""
        config = [part for setting in _CONFIG for part in ("-c", setting)]
        return await self.run(step, ("git", *config, *arguments), network=network)

    async def run(
        self, step: str, argv: tuple[str, ...], *, network: bool = False
    ) -> tuple[Exit, str]:
        """The same for any program. Raises what git_errors says of limits."""
        said = bytearray()

        def hear(chunk: bytes) -> None:
            # The proxy answers at the beginning, Git complains at the end.
            said.extend(chunk)
            if len(said) > _SAID_BYTES:
                del said[_SAID_BYTES // 2 : -_SAID_BYTES // 2]

        running = await launch.start(
            self._launch(step, argv, network=network),
            on_output=hear,
            egress=self.egress if network else None,
            on_refusal=self.refusals.append,
        )
        watch = asyncio.create_task(self._watch(running))
        try:
            left = max(0.1, self.deadline - time.monotonic())
            ended = await running.wait(timeout_seconds=left)
        except asyncio.CancelledError:
            await running.kill()
            raise
        finally:
            watch.cancel()
        if self.too_large:
            limit, found = size_text(self.limits.total_bytes), size_text(self.too_large)
            raise git_errors.RepositoryTooLarge(limit=limit, found=found)
        if ended.reason == "timeout":
            raise git_errors.GitTimeout(seconds=round(self.seconds))
        if ended.reason == "out-of-memory":
            raise git_errors.GitOutOfMemory(limit=size_text(_LIMITS.memory_bytes))
        return ended, said.decode("utf-8", "replace")

    def _launch(self, step: str, argv: tuple[str, ...], *, network: bool) -> Launch:
        work = re.sub(r"[^A-Za-z0-9_]", "", self.folder.parent.name)[:40]
        return Launch(
            name=f"git-{work}-{self.folder.name.removeprefix('clone-')}-{step}",
            argv=argv,
            env=self.env,
            binds=self.binds,
            uid=self.uid,
            limits=_LIMITS,
            network="egress" if network else "none",
            seccomp=self.seccomp,
            watch_seconds=0.5,
        )

    async def _watch(self, running: launch.Running) -> None:
        """Kill it when its folder grows too large."""
        # Git holds everything twice, packed and checked out.
        most = 2 * self.limits.total_bytes + (16 << 20)
        while True:
            began = time.monotonic()
            found = await asyncio.to_thread(trees.folder_size, self.folder / "app", stop_above=most)
            if found > most:
                self.too_large = found
                await running.kill()
                return
            await asyncio.sleep(max(_LOOK_SECONDS, 10 * (time.monotonic() - began)))
