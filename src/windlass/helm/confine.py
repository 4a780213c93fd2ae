"""What the child may not do, given up by itself before it looks at anything of a stranger.

Once Helm's library is loaded, rendering needs memory, threads and its two pipes, nothing else: a
system-call filter takes files, sockets and programs away for good, on every kernel that has one and
without any right. Limits on memory and processor time end what a template can still do.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import NamedTuple


class _Machine(NamedTuple):
    arch: int
    seccomp: int
    denied: tuple[int, ...]


# open creat openat openat2 open_by_handle_at; socket connect socketpair sendto; execve execveat
# fork vfork ptrace process_vm_readv process_vm_writev kill; unlink rename truncate link symlink
# chmod chown mkdir rmdir and their -at forms; mount chroot io_uring_setup bpf unshare.
_X86 = _Machine(
    0xC000003E,
    317,
    (
        *(2, 85, 257, 437, 304, 41, 42, 53, 44, 59, 322, 57, 58, 101, 310, 311, 62, 87, 82, 76, 86),
        *(88, 90, 92, 83, 84, 263, 264, 316, 265, 266, 268, 260, 258, 165, 161, 425, 321, 272),
    ),
)
_ARM = _Machine(
    0xC00000B7,
    277,
    (
        *(56, 437, 265, 198, 203, 199, 206, 221, 281, 117, 270, 271, 129, 35, 38, 276, 45, 37, 36),
        *(53, 54, 34, 40, 51, 425, 280, 97),
    ),
)
_MACHINES = {"x86_64": _X86, "aarch64": _ARM}
_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000


class CannotConfine(Exception):
    """The kernel takes no filter of system calls."""


def limit(*, memory: int, cpu_seconds: int, files: int = 64) -> None:
    """What may be added to the memory there is, processor time, no file may grow, no core is
    written.
    """
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: files,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # elsewhere the kernel counts reserved addresses as memory
        limits[resource.RLIMIT_AS] = _reserved() + memory
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _reserved() -> int:
    """Addresses that this process has reserved: Helm's library takes 1 GiB and uses 40 MiB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def forbid() -> None:
    """From here on no file, no socket, no program, for all threads. Raises CannotConfine."""
    if sys.platform != "linux":
        return
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise CannotConfine(f"there is no list of system calls for {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    program = _program(machine.arch, machine.denied)
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise CannotConfine(os.strerror(ctypes.get_errno()))
    done = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, header)
    if done != 0:
        raise CannotConfine(os.strerror(ctypes.get_errno()))


def _program(arch: int, denied: tuple[int, ...]) -> bytes:
    """A filter for the kernel: (code, jump if true, jump if false, value) by instruction."""
    rows = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    rows.append((_AT_LEAST, len(denied) + 1, 0, 0x40000000))  # numbers of another system's calls
    for index, number in enumerate(denied):
        rows.append((_EQUAL, len(denied) - index, 0, number))
    rows += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL)]
    return b"".join(struct.pack("HBBI", *row) for row in rows)
