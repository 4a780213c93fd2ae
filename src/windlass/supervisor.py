"""Keeps the processes of one machine running. Standard library only, so that it costs 7 MB.

usage: supervisor.py HOME NAME=JSON… where JSON is the argument vector of a process.

The edge is in a session of its own and outlives us: the next supervisor takes it over. The control
plane dies with us. Ctrl-C stops everything in order: control plane (with its database), then edge.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_STEADY_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 10.0
_REFUSALS = 3
_STOP_SECONDS = 25.0


class Child:
    """One process that shall run."""

    def __init__(self, name: str, argv: list[str], home: Path) -> None:
        self.name = name
        self.argv = argv
        self.pid_file = home / "run" / f"{name}.pid"
        self.log = home / "logs" / f"{name}.log"
        self.fd = -1
        self.pid = 0
        self.failures = 0
        self.refusals = 0
        self.started = 0.0
        self.due = 0.0

    @property
    def is_running(self) -> bool:
        return self.fd >= 0

    def start(self) -> None:
        """Start it, or take over the one that an earlier supervisor left."""
        self.started = time.monotonic()
        if self.name == "edge" and (pid := self._left_over()):
            self.pid = pid
        else:
            self.pid = self._spawn()
        self.fd = os.pidfd_open(self.pid)

    def _left_over(self) -> int:
        try:
            pid = int(self.pid_file.read_text())
            argv = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        except (OSError, ValueError):
            return 0
        if argv[1:] == self.argv[1:]:
            return pid
        if "windlass.edge" in argv:
            # Started with other settings: it makes room.
            stop(pid)
        return 0

    def _spawn(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            if self.name == "edge":
                # It outlives this terminal, so it must not write there.
                os.dup2(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
            else:
                libc = ctypes.CDLL(None, use_errno=True)
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            # Above all the lock that says that we run: it must end with us.
            os.closerange(3, 4096)
            os.execv(self.argv[0], self.argv)
        finally:
            os._exit(127)

    def ended(self) -> None:
        """It died: note when it may start again."""
        os.close(self.fd)
        self.fd = -1
        code = 0
        with contextlib.suppress(ChildProcessError):  # one that was taken over is not our child
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        steady = time.monotonic() - self.started > _STEADY_SECONDS
        self.failures = 0 if steady else self.failures + 1
        # It says why when it cannot start; one that was killed is always started again.
        self.refusals = self.refusals + 1 if code == 1 and not steady else 0
        wait = 0.0 if steady else min(0.1 * 2**self.failures, _LONGEST_WAIT_SECONDS)
        self.due = time.monotonic() + wait


def stop(pid: int) -> None:
    """SIGTERM, and SIGKILL to what does not listen. Returns when it is gone."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        if not select.select([fd], [], [], _STOP_SECONDS)[0]:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            select.select([fd], [], [], 5)
    except ProcessLookupError:
        pass
    finally:
        os.close(fd)


def supervise(children: list[Child]) -> int:
    """Run until a signal comes, or the control plane says that it cannot start."""
    wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        now = time.monotonic()
        for child in children:
            if not child.is_running and child.due <= now:
                child.start()
        waits = [child.due - now for child in children if not child.is_running]
        fds = [child.fd for child in children if child.is_running]
        ready, _, _ = select.select([*fds, wake], [], [], max(min(waits), 0) if waits else None)
        if wake in ready:
            return 0
        for child in children:
            if child.fd in ready:
                child.ended()
                if child.refusals >= _REFUSALS and child.name == "control":
                    sys.stderr.write("The control plane cannot start; sites stay up.\n")
                    return 1


def main() -> int:
    home = Path(sys.argv[1])
    found = [argument.split("=", 1) for argument in sys.argv[2:]]
    children = [Child(name, json.loads(argv), home) for name, argv in found]
    code = supervise(children)
    for child in reversed(children):
        # A control plane that cannot start is no reason to take the sites down.
        if child.is_running and (code == 0 or child.name != "edge"):
            stop(child.pid)
    return code


sys.exit(main())
