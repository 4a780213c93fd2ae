"""Turns a `Launch` into what the launcher and bwrap are told: pure, apart from looking at /usr."""

import marshal
import os
import re
import sys
from functools import cache
from pathlib import Path

import msgspec

from windlass.core.launch_spec import PROXY_PORT, SAFE_NAME, Bind, Launch, LaunchFailed

INSIDE_ID = "1000"
INIT = Path(__file__).with_name("launch_init.py")
ENTER = Path(__file__).with_name("launch_enter.py")
INIT_PATH = "/windlass/init.py"
_SHM_BYTES = 256 << 20
_READ_ONLY = ("/etc/ssl/certs", "/etc/alternatives", "/etc/ld.so.cache", "/etc/services")
_HIDDEN = ("/usr/etc", "/usr/local/etc")
"""Configuration of the host's tools, where passwords for package indexes may stand."""
_ROOTS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


class Interpreter(msgspec.Struct, frozen=True):
    """A Python that exists inside: its path there, and what must be bound for it."""

    path: str
    binds: tuple[Bind, ...] = ()


@cache
def interpreter() -> Interpreter:
    """The system's Python when it is 3.11 or newer, else the one we run on."""
    system = re.search(r"python3\.(\d+)$", os.path.realpath("/usr/bin/python3"))
    if system and int(system[1]) >= 11 and os.access("/usr/bin/python3", os.X_OK):
        return Interpreter("/usr/bin/python3")
    prefix = os.path.realpath(sys.base_prefix)
    path = os.path.realpath(sys.executable)
    if prefix.startswith("/usr/"):
        return Interpreter(path)
    return Interpreter(path, (Bind(prefix, prefix),))


def proxy_environment() -> dict[str, str]:
    """How programs inside find the way out; every one of these names is read by somebody."""
    url = f"http://127.0.0.1:{PROXY_PORT}"
    local = "localhost,127.0.0.1,::1"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "npm_config_proxy", "npm_config_https_proxy")
    return {
        **dict.fromkeys(names, url),
        "http_proxy": url,
        "https_proxy": url,
        "YARN_HTTP_PROXY": url,
        "YARN_HTTPS_PROXY": url,
        "NO_PROXY": local,
        "no_proxy": local,
        "npm_config_noproxy": local,
        "NODE_USE_ENV_PROXY": "1",
    }


def listeners(launch: Launch) -> tuple[str, ...]:
    """Addresses inside that lead out: the proxy first, then one per further target."""
    if launch.network == "none":
        return ()
    tunnels = (
        f"127.0.1.{number}:{target.rpartition(':')[2]}"
        for number, target in enumerate(launch.connect, start=1)
    )
    return (f"127.0.0.1:{PROXY_PORT}", *tunnels)


def has_low_ports(launch: Launch) -> bool:
    """Whether a listener needs a port below 1024, which takes a network that the launcher made."""
    return any(int(address.rpartition(":")[2]) < 1024 for address in listeners(launch))


def hosts(launch: Launch) -> str:
    """/etc/hosts: names of further targets lead to the listeners that stand for them."""
    lines: list[str] = []
    if launch.network == "egress":
        for number, target in enumerate(launch.connect, start=1):
            lines.append(f"127.0.1.{number} {target.rpartition(':')[0]}")
    return "\n".join([*lines, "127.0.0.1 localhost"]) + "\n"


def check(launch: Launch) -> None:
    """Refuse what would make an unclear sandbox."""
    if not SAFE_NAME.fullmatch(launch.name):
        raise LaunchFailed(detail=f"{launch.name!r} is not a safe name")
    if not launch.argv or len(launch.connect) > 200:
        raise LaunchFailed(detail="there is no command, or more than 200 connect targets")
    texts = [*launch.argv, *launch.env.values(), *launch.env, launch.cwd]
    if any("\0" in text for text in texts) or any("=" in name or not name for name in launch.env):
        raise LaunchFailed(detail="a NUL character, or a variable name that is none")
    for bind in launch.binds:
        if not (bind.source.startswith("/") and bind.target.startswith("/")):
            raise LaunchFailed(detail=f"{bind.source} or {bind.target} is not an absolute path")
        if ".." in bind.target.split("/"):
            raise LaunchFailed(detail=f"{bind.target} is not a plain path")
    for target in launch.connect:
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}:\d{1,5}", target):
            raise LaunchFailed(detail=f"{target!r} is not name:port")
        if not 0 < int(target.rpartition(":")[2]) < 65536:
            raise LaunchFailed(detail=f"{target!r} has no port from 1 to 65535")


def init_input(launch: Launch, *, count_processes: bool) -> bytes:
    """What pid 1 reads: the working folder, limits, listeners, the command and its environment."""
    env = {**proxy_environment(), **launch.env} if launch.network == "egress" else launch.env
    # The kernel refuses a little later than the watchdog calls it too many: who only fills the
    # limit is let be, and who keeps forking is seen above it however fast its processes die.
    most = launch.limits.processes * 5 // 4
    fields = [
        launch.cwd,
        str(most if count_processes else 0),
        " ".join(listeners(launch)),
        str(len(launch.argv)),
        *launch.argv,
        *(f"{name}={value}" for name, value in env.items()),
    ]
    return "\0".join(fields).encode("utf-8", "surrogateescape")


def bwrap_arguments(launch: Launch, bwrap: str) -> list[str]:
    """The part of bwrap's arguments that depends on no file descriptor."""
    args = [bwrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    args += ["--unshare-cgroup", "--disable-userns", "--new-session", "--die-with-parent"]
    args += ["--as-pid-1", "--cap-drop", "ALL", "--hostname", "windlass"]
    args += ["--uid", INSIDE_ID, "--gid", INSIDE_ID]
    if not has_low_ports(launch):
        args += ["--unshare-net"]
    args += ["--ro-bind", "/usr", "/usr", "--dir", "/etc", "--dir", "/etc/ssl"]
    for root in _ROOTS:
        if os.path.islink(root):
            args += ["--symlink", os.readlink(root), root]
        elif os.path.isdir(root):
            args += ["--ro-bind", root, root]
    for path in _HIDDEN:
        if os.path.isdir(path):
            args += ["--tmpfs", path, "--remount-ro", path]
    for path in _READ_ONLY:
        args += ["--ro-bind-try", path, path]
    if os.path.exists("/usr/lib/os-release"):
        args += ["--symlink", "../usr/lib/os-release", "/etc/os-release"]
    shm = str(min(_SHM_BYTES, launch.limits.tmp_bytes))
    args += ["--proc", "/proc", "--dev", "/dev", "--size", shm, "--perms", "1777"]
    args += ["--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108 — inside
    args += ["--size", str(launch.limits.tmp_bytes), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    return [*args, "--dir", "/tmp/home"]  # noqa: S108


def files(launch: Launch) -> list[tuple[str, bytes]]:
    """Small made-up files: the sandbox's own idea of users, names and its first process."""
    passwd = f"app:x:{INSIDE_ID}:{INSIDE_ID}::/tmp/home:/bin/sh\n"
    nobody = "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
    return [
        ("/etc/passwd", (passwd + nobody).encode()),
        ("/etc/group", f"app:x:{INSIDE_ID}:\nnogroup:x:65534:\n".encode()),
        ("/etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\nservices: files\n"),
        ("/etc/resolv.conf", b""),
        ("/etc/hosts", hosts(launch).encode()),
        (INIT_PATH, INIT.read_bytes()),
    ]


def enter_input(
    launch: Launch, *, bwrap: str | None, cgroups: list[str], owner: str, fds: tuple[int, int]
) -> bytes:
    """What the launcher reads; marshal, because it runs on this very interpreter.

    Without bwrap it is told to do without (`launch_unsafe`).
    """
    python = interpreter()
    binds = dict.fromkeys((bind.source, bind.target, bind.writable) for bind in python.binds)
    binds |= dict.fromkeys((bind.source, bind.target, bind.writable) for bind in launch.binds)
    command = [python.path, "-I", "-S", INIT_PATH, launch.name, owner, *map(str, fds)]
    return marshal.dumps(
        {
            "cgroups": cgroups,
            "uid": launch.uid if os.geteuid() == 0 else None,
            "parent": os.getpid(),
            "own_network": bwrap is None or has_low_ports(launch),
            "binds": list(binds),
            "files": files(launch),
            "seccomp": launch.seccomp,
            "unsafe": bwrap is None,
            "inside": INSIDE_ID,
            "tmp_bytes": launch.limits.tmp_bytes,
            "args": bwrap_arguments(launch, bwrap) if bwrap else [],
            "rlimits": _rlimits(launch, has_cgroup=bool(cgroups)),
            "processors": () if cgroups else _processors(launch.limits.cpus),
            "command": command,
        }
    )


def _rlimits(launch: Launch, *, has_cgroup: bool) -> list[tuple[str, int]]:
    limits = launch.limits
    rlimits = [
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", limits.open_files),
        ("RLIMIT_FSIZE", limits.file_bytes),
        ("RLIMIT_MEMLOCK", 64 << 10),
    ]
    if not has_cgroup:
        # Not addresses: WebAssembly reserves 10 GiB of them for each memory and never uses them.
        # The watchdog counts what is really used; this holds whoever is faster than it looks.
        rlimits.append(("RLIMIT_DATA", max(2 * limits.memory_bytes, 4 << 30)))
    return rlimits


def _processors(cpus: float) -> tuple[int, ...]:
    available = sorted(os.sched_getaffinity(0))
    return tuple(available[: max(1, round(cpus))])
