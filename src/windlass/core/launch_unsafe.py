"""Stands in for bwrap where that is missing and the caller permits it: for development alone.

Called by the launcher after the drop, in its own process. What stays: a user, process and network
namespace of its own (so that everything inside dies with its first process), the limits, the
guarded network, /app and the other folders where the plan wants them. What is missing: the host's
files are all there, with the rights of the user, and no system call is refused.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Callable
from typing import Any, NoReturn

CLONE_NEW = 0x00020000 | 0x08000000 | 0x04000000 | 0x10000000 | 0x20000000
"""Mounts, IPC, host name, user, processes."""
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND = 1, 2, 4, 32, 4096
MS_MOVE, MS_REC, MS_PRIVATE = 8192, 16384, 1 << 18
MS_KEPT = 1 | 2 | 4 | 8 | 1024 | 2048 | 1 << 21
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, SIGKILL = 1, 4, 9
NEW_ROOT = "/tmp"  # noqa: S108 — any folder that exists everywhere
OWN = {"/tmp", "/proc", "/dev/shm"}  # noqa: S108 — inside
Mount = Callable[[str | None, str, str | None, int, bytes | None], None]


def become(spec: dict[str, Any], binds: list[tuple[str, str, bool]], mount: Mount) -> NoReturn:
    """Make the view, then be the parent of the sandbox's first process until that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    # The drop made root the owner of our files in /proc.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    if libc.unshare(CLONE_NEW) != 0:
        error = os.strerror(ctypes.get_errno())
        sys.exit(f"windlass: this machine allows no user namespaces ({error})")
    inside = spec["inside"]
    maps = ("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"), ("gid_map", f"{inside} {gid} 1")
    for name, content in maps:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)
    mount(None, "/", None, MS_REC | MS_PRIVATE, None)
    lay_out(spec, binds, mount)
    first = os.fork()
    if first:
        _, status = os.waitpid(first, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    mount("proc", f"{NEW_ROOT}/proc", "proc", 0, None)
    os.chdir(NEW_ROOT)
    mount(".", "/", None, MS_MOVE, None)
    os.chroot(".")
    os.chdir("/")
    os.execve(spec["command"][0], spec["command"], {})


def lay_out(spec: dict[str, Any], binds: list[tuple[str, str, bool]], mount: Mount) -> None:
    """The host's tree below NEW_ROOT, with a place of its own for everything that is bound."""
    # Opened before the new root hides what may lie below it.
    opened = [os.open(source, os.O_PATH | os.O_NOFOLLOW) for source, _, _ in binds]
    size = spec["tmp_bytes"]
    mount("windlass", NEW_ROOT, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=0755")
    wanted = OWN | {target for _, target, _ in binds} | {target for target, _ in spec["files"]}
    mirror("/", wanted, mount)
    for place in sorted(OWN):
        os.makedirs(NEW_ROOT + place, exist_ok=True)
        if place != "/proc":
            mount("tmpfs", NEW_ROOT + place, "tmpfs", 0, b"mode=1777,size=%d" % size)
    os.makedirs(f"{NEW_ROOT}/tmp/home", exist_ok=True)  # noqa: S108 — inside
    for fd, (_, target, writable) in zip(opened, binds, strict=True):
        bind(f"/proc/self/fd/{fd}", NEW_ROOT + target, stat.S_ISDIR(os.fstat(fd).st_mode), mount)
        os.close(fd)
        if not writable:
            place = NEW_ROOT + target
            # What the host's own mount forbids must be said again, or the kernel refuses.
            kept = os.statvfs(place).f_flag & MS_KEPT
            mount(None, place, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, None)
    for target, content in spec["files"]:
        os.makedirs(os.path.dirname(NEW_ROOT + target), exist_ok=True)
        with open(NEW_ROOT + target, "wb") as file:
            file.write(content)


def mirror(folder: str, wanted: set[str], mount: Mount) -> None:
    """Everything of the host's folder but `wanted`; folders above one of those are made anew."""
    try:
        names = os.listdir(folder)
    except PermissionError:
        names = []
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if path in wanted:
            continue
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(path), NEW_ROOT + path)
        elif stat.S_ISDIR(mode) and any(one.startswith(f"{path}/") for one in wanted):
            os.mkdir(NEW_ROOT + path)
            mirror(path, wanted, mount)
        elif stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISCHR(mode):
            bind(path, NEW_ROOT + path, stat.S_ISDIR(mode), mount)


def bind(source: str, place: str, is_folder: bool, mount: Mount) -> None:
    """Bind a file or folder; the place is made when it is missing."""
    if is_folder:
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not os.path.lexists(place):
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, place, None, MS_BIND | MS_REC, None)
