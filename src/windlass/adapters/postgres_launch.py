"""Start a program of the embedded PostgreSQL as another user. Standard library only; run by path.

usage: postgres_launch.py UID NAME=FOLDER… -- PROGRAM ARGUMENT…
"""

import ctypes
import os
import sys

_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_BASE = "/mnt"


def main() -> None:
    """As root: bind the folders below /mnt, become the user, run. Otherwise: just run."""
    uid, rest = int(sys.argv[1]), sys.argv.index("--")
    folders = dict(word.split("=", 1) for word in sys.argv[2:rest])
    if os.geteuid() == 0:
        folders = _bind(folders)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.umask(0o077)
    program, *arguments = sys.argv[rest + 1 :]
    if program == "postgres" and os.fork():
        # The server outlives whoever started it, and belongs to nobody who would have to reap it.
        os._exit(0)
    if program == "initdb":
        arguments += ["-D", folders["data"]]
    else:
        arguments += ["-D", folders["data"], "-k", folders["run"]]
    environment = {
        "LC_ALL": "C",
        "TZ": "UTC",
        "LD_LIBRARY_PATH": folders["libs"],
        # Said at all, glibc no longer raises it by itself: what planning a large statement took
        # goes back to the system, 2 MB of each connection that stays.
        "MALLOC_TRIM_THRESHOLD_": "131072",
    }
    path = f"{folders['prefix']}/bin/{program}"
    os.execve(path, [path, *arguments], environment)


def _bind(folders: dict[str, str]) -> dict[str, str]:
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    _check(libc.mount(b"windlass", _BASE.encode(), b"tmpfs", 0, b"mode=0755,size=64k"))
    bound: dict[str, str] = {}
    for name, source in folders.items():
        bound[name] = f"{_BASE}/{name}"
        os.mkdir(bound[name])
        _check(libc.mount(source.encode(), bound[name].encode(), None, _MS_BIND | _MS_REC, None))
    return bound


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


main()
