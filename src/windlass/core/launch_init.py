"""Pid 1 of a sandbox: starts the command, reaps, makes sockets inside on request.

Runs inside, with `python -I -S` and only modules that are built in or tiny, because one of these
stays for as long as an application runs. It tells the supervisor, over an inherited socket:
`hello` with the listeners made here, `dialed` with a socket per request, `exit` with the status.
When the supervisor is gone that socket ends, and so does everything in here.
"""

# contextlib, signal and socket would double what this process keeps in memory.
# ruff: noqa: SIM105
# pyright: reportMissingImports=false, reportPrivateUsage=false

import _signal
import _socket
import errno
import posix
import sys

TEMPORARY = ("/tmp", "/dev/shm")  # noqa: S108 — of this sandbox alone
STATUS_EXEC_FAILED = 127
PR_SET_DUMPABLE = 4


class Init:
    """The state of pid 1: one command, and whether its end is already being waited for."""

    def __init__(self, control: _socket.socket) -> None:
        self.control = control
        self.command = 0
        self.status = 0
        self.draining = False
        self.reaping = False
        self.again = False

    def on_child(self, *_: object) -> None:
        """Reap whatever ended; the command's end is the end of everything.

        A second child's end may call us while we are at it: that call only says to look again, or
        it would find nobody left and end before the command's status is noted.
        """
        self.again = True
        if self.reaping:
            return
        self.reaping = True
        while self.again:
            self.again = False
            self.reap()
        self.reaping = False
        if self.again:
            self.on_child()

    def reap(self) -> None:
        ended = False
        while True:
            try:
                pid, status = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return self.finish()
            if pid == 0:
                break
            if pid == self.command:
                self.status, ended = status, True
        if ended and not self.draining:
            self.finish()
        return None

    def finish(self) -> None:
        """Tell how it ended and end; the kernel then kills whatever is left in here."""
        message = b"exit %d %d" % (self.status, any(map(is_full, TEMPORARY)))
        try:
            self.control.send(message, _socket.MSG_DONTWAIT)
        except OSError:
            pass
        posix._exit(0)

    def serve(self) -> None:
        """Answer the supervisor until it is gone."""
        while True:
            request = self.control.recv(64).split()
            if not request:
                posix._exit(1)
            if request[0] == b"dial":
                self.dial(request[1], int(request[2]))
            elif request[0] == b"term":
                self.draining = True
                try:
                    posix.kill(-self.command, _signal.SIGTERM)
                except ProcessLookupError:
                    pass
                self.on_child()

    def dial(self, number: bytes, port: int) -> None:
        """Begin a connection to a port in here and hand it over, without waiting for it."""
        try:
            sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
        except OSError as error:
            send(self.control, b"dialed %s %d" % (number, error.errno or errno.EMFILE))
            return
        refused = sock.connect_ex(("127.0.0.1", port))
        if refused in (0, errno.EINPROGRESS):
            send(self.control, b"dialed %s 0" % number, sock)
        else:
            send(self.control, b"dialed %s %d" % (number, refused))
        sock.close()


def send(control: _socket.socket, message: bytes, *handed: _socket.socket) -> None:
    rights = b"".join(sock.fileno().to_bytes(4, sys.byteorder) for sock in handed)
    ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if handed else []
    control.sendmsg([message], ancillary)


def is_full(folder: str) -> bool:
    """Whether a write there just failed for want of space (or of file entries)."""
    try:
        disk = posix.statvfs(folder)
    except OSError:
        return False
    return bool(disk.f_blocks) and (disk.f_bavail * 256 < disk.f_blocks or disk.f_favail == 0)


def listen(address: str) -> _socket.socket:
    """A listener in this network, which nobody in here serves."""
    host, _, port = address.rpartition(":")
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    sock.bind((host, int(port)))
    sock.listen(256)
    return sock


def read_all(fd: int) -> bytes:
    chunks = []
    while chunk := posix.read(fd, 1 << 20):
        chunks.append(chunk)
    posix.close(fd)
    return b"".join(chunks)


def become(argv: list[bytes], env: dict[bytes, bytes], cwd: bytes, processes: int) -> None:
    """In the child: a session of its own, default signals, then the command."""
    try:
        posix.setsid()
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGCHLD, _signal.SIGINT):
            _signal.signal(number, _signal.SIG_DFL)
        if processes:
            # Counted within this user namespace only, so a busy account outside does no harm.
            import resource

            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        posix.chdir(cwd)
        folders = [b""] if b"/" in argv[0] else env.get(b"PATH", b"/usr/bin:/bin").split(b":")
        for folder in folders:
            try:
                posix.execve(folder + b"/" + argv[0] if folder else argv[0], argv, env)
            except (FileNotFoundError, NotADirectoryError):
                continue
        raise FileNotFoundError(errno.ENOENT, "command not found", argv[0])
    except OSError as error:
        posix.write(2, b"windlass: cannot run: %s\n" % str(error).encode())
    finally:
        posix._exit(STATUS_EXEC_FAILED)


def close_memory() -> None:
    """Keep the command, which runs as the same user, out of our memory (/proc/1/mem).

    Who could write there could make pid 1 outlive its supervisor. `ctypes` itself is too large.
    """
    try:
        import _ctypes
    except ImportError:
        return

    class Prctl(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL
        _restype_ = None

    own = _ctypes.dlopen(None, posix.RTLD_NOW)  # pyright: ignore[reportArgumentType]
    Prctl(_ctypes.dlsym(own, "prctl"))(PR_SET_DUMPABLE, 0, 0, 0, 0)


def main() -> None:
    close_memory()
    control = _socket.socket(fileno=int(sys.argv[3]))
    fields = read_all(int(sys.argv[4])).split(b"\0")
    cwd, processes = fields[0], int(fields[1])
    addresses = fields[2].decode().split()
    count = int(fields[3])
    argv, pairs = fields[4 : 4 + count], fields[4 + count :]
    env = dict(pair.split(b"=", 1) for pair in pairs if pair)
    listeners = [listen(address) for address in addresses]
    send(control, b"hello", *listeners)
    for sock in listeners:
        sock.close()
    # Not before the supervisor holds this very process: the command may end at once.
    if control.recv(16) != b"go":
        posix._exit(1)
    # Python alone would end on it; every other signal from inside is ignored for pid 1.
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    init = Init(control)
    posix.set_inheritable(control.fileno(), False)
    # The handler may run as soon as the child exists, so it must know the child's number first.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
    init.command = posix.fork()
    if init.command == 0:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
        become(argv, env, cwd, processes)
    del argv, env, fields, pairs
    _signal.signal(_signal.SIGCHLD, init.on_child)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
    init.serve()


main()
