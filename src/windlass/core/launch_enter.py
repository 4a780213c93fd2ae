"""The way into a sandbox: what must be done by the caller's own rights before bwrap starts.

Runs outside with `python -I -S`: joins the cgroups, makes the sources reachable for a user who may
not pass their parent folders, drops to that user, sets the rlimits and becomes bwrap with an empty
environment, because bwrap's environment can be read inside as /proc/1/environ.
The description comes through a file descriptor, not through arguments that `ps` would show.
"""

# Everything is imported up here: after the drop, Python's own folders may be out of reach.
import _socket
import ctypes
import fcntl
import marshal
import os
import resource
import stat
import struct
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
SIGKILL = 9
# Hidden by a file system in a mount namespace of our own; the host's folder stays as it is.
STAGE = "/mnt"
Bound = tuple[str, str, bool]
"""Source, target, writable."""

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)


def mount(
    source: str | None, target: str, kind: str | None, flags: int, data: bytes | None = None
) -> None:
    encode = [value.encode() if value is not None else None for value in (source, target, kind)]
    check(libc.mount(*encode, ctypes.c_ulong(flags), data), f"mount {target}")


def join(procs_files: list[str]) -> None:
    for path in procs_files:
        with open(path, "w") as procs:
            procs.write("0")


def open_source(source: str) -> int:
    """The file itself, not what a link of that name would lead to."""
    fd = os.open(source, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    kind = os.fstat(fd).st_mode
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise OSError(f"{source} is neither a folder nor a file")
    return fd


def check_nested(binds: list[Bound]) -> None:
    """A mount point below a writable folder must not be reached over a link made in there."""
    for outer_source, outer_target, writable in binds:
        if not writable:
            continue
        for _, target, _ in binds:
            if not target.startswith(outer_target.rstrip("/") + "/"):
                continue
            path = outer_source
            for part in target[len(outer_target) :].strip("/").split("/"):
                path = f"{path}/{part}"
                if os.path.islink(path):
                    raise OSError(f"{target} is a symbolic link")


def stage(binds: list[Bound]) -> list[Bound]:
    """Bind every source below a folder that anybody may pass."""
    check(libc.unshare(CLONE_NEWNS), "unshare mount namespace")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    opened = [open_source(source) for source, _, _ in binds]
    mount("windlass", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=0755,size=1m")
    staged: list[Bound] = []
    for number, (fd, (_, target, writable)) in enumerate(zip(opened, binds, strict=True)):
        place = f"{STAGE}/{number}"
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.mkdir(place, 0o755)
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
        mount(f"/proc/self/fd/{fd}", place, None, MS_BIND | MS_REC)
        os.close(fd)
        staged.append((place, target, writable))
    return staged


def drop(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def own_network() -> None:
    """A network namespace in which any port may be listened on, even 587.

    bwrap cannot make it: the first process inside has no rights over the network that bwrap makes.
    """
    uid, gid = os.getuid(), os.getgid()
    # The drop made root the owner of our files in /proc.
    check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET), "unshare network")
    for name, content in (
        ("self/setgroups", "deny"),
        ("self/uid_map", f"{uid} {uid} 1"),
        ("self/gid_map", f"{gid} {gid} 1"),
        ("sys/net/ipv4/ip_unprivileged_port_start", "0"),
    ):
        with open(f"/proc/{name}", "w") as file:
            file.write(content)
    request = struct.pack("16sH14x", b"lo", IFF_UP)
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    fcntl.ioctl(sock.fileno(), SIOCSIFFLAGS, request)
    sock.close()


def limit(name: str, value: int) -> None:
    """Lower a limit; a hard limit that is lower already stays."""
    which = getattr(resource, name)
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def inherited(content: bytes) -> str:
    """A file in memory that bwrap reads."""
    fd = os.memfd_create("windlass", 0)
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return str(fd)


def main() -> None:
    spec_fd = int(sys.argv[1])
    with open(spec_fd, "rb") as file:
        spec = marshal.load(file)  # noqa: S302 — written by our own supervisor
    join(spec["cgroups"])
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("500")
    binds = spec["binds"]
    check_nested(binds)
    if spec["unsafe"]:
        # Last on the path: its neighbours have names of the standard library.
        sys.path.append(os.path.dirname(__file__))
        import launch_unsafe  # pyright: ignore[reportMissingImports]
    if spec["uid"] is not None:
        binds = stage(binds)
        drop(spec["uid"])
    if spec["own_network"]:
        own_network()
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "parent death signal")
    if os.getppid() != spec["parent"]:
        sys.exit("the supervisor is gone")
    for name, value in spec["rlimits"]:
        limit(name, value)
    if spec["processors"]:
        os.sched_setaffinity(0, spec["processors"])
    if spec["unsafe"]:
        launch_unsafe.become(spec, binds, mount)  # pyright: ignore
    argv = list(spec["args"])
    for source, target, writable in binds:
        argv += ["--bind" if writable else "--ro-bind", source, target]
    for target, content in spec["files"]:
        argv += ["--perms", "0444", "--ro-bind-data", inherited(content), target]
    argv += ["--remount-ro", "/"]
    if spec["seccomp"]:
        argv += ["--seccomp", inherited(spec["seccomp"])]
    os.execve(argv[0], [*argv, "--", *spec["command"]], {})


if __name__ == "__main__":
    try:
        main()
    except OSError as problem:
        sys.exit(f"windlass: {problem}")
