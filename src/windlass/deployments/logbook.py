"""The log of one build on its way to the database: whole lines, secrets masked, in batches."""

import asyncio
import contextlib
import re
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import clock, log
from windlass.core.db import Database
from windlass.core.live import announce
from windlass.core.manifest import size_text

_FLUSH_SECONDS = 0.1
_LINE_BYTES = 16 << 10
_MASK = "••••••"
_SHORTEST_SECRET = 4
_ERROR = re.compile(r"^\W*(npm (ERR!|error)|error\b|\[?error\]?[: ]|✘|Traceback )", re.IGNORECASE)
_WARN = re.compile(r"^\W*(npm warn|warn(ing)?\b)", re.IGNORECASE)
# The number of a line is given by the database, so that several writers never collide for good.
_APPEND = """
with last as (
  select coalesce(max(seq), 0) as seq from deployment_logs where deployment_id = $1
), lines as (
  insert into deployment_logs (deployment_id, seq, level, step, message, created_at)
  select $1, last.seq + line.number, line.level, line.step, line.message, line.at
  from last, unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])
    with ordinality as line (level, step, message, at, number)
  returning 1
) select pg_notify('windlass_live', 'log:' || $1::text) from lines limit 1
"""


_SAY = text(
    "insert into deployment_logs (deployment_id, seq, level, step, message)"
    " select :id, coalesce(max(seq), 0) + 1, :level, 'deploy', :message"
    " from deployment_logs where deployment_id = :id"
)


async def say(db: AsyncSession, id: UUID, message: str, *, level: str = "success") -> None:
    """One line, in the caller's transaction: it is there if what it tells of is."""
    await db.execute(_SAY, {"id": id, "message": message, "level": level})
    await announce(db, f"log:{id}")


class Logbook:
    """Lines of one deployment. `step` names the part of the build that is going on."""

    def __init__(
        self, database: Database, id: UUID, *, secrets: tuple[str, ...], max_bytes: int
    ) -> None:
        self._database = database
        self._id = id
        self._secrets: list[str] = []
        self.hide(secrets)
        self._left = max_bytes
        self._lost = 0
        self._partial = b""
        self._lines: list[tuple[str, str, str, object]] = []
        self._closing = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self.step = "queue"

    async def __aenter__(self) -> "Logbook":
        self._flusher = asyncio.create_task(self._flush_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end_line()
        if self._lost:
            self.say(f"{size_text(self._lost)} more of output are not kept", "warn")
        self._closing.set()
        if self._flusher is not None:
            await asyncio.wait({self._flusher})
        await self.flush()

    def say(self, message: str, level: str = "info") -> None:
        """A line of our own."""
        self._end_line()
        self._add(message, level)

    def write(self, output: bytes) -> None:
        """Output of a command, in any pieces."""
        kept = output[: max(self._left, 0)]
        self._left -= len(kept)
        self._lost += len(output) - len(kept)
        *lines, self._partial = (self._partial + kept).split(b"\n")
        for line in lines:
            self._add_output(line)
        if len(self._partial) > _LINE_BYTES:
            self._end_line()

    def hide(self, secrets: tuple[str, ...]) -> None:
        """From now on these are masked, too."""
        self._secrets = sorted({*self._secrets, *_parts(secrets)}, key=len, reverse=True)

    async def flush(self) -> None:
        """Write what has gathered; what cannot be written now stays for the next time."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        levels, steps, messages, times = zip(*lines, strict=True)
        values = (list(levels), list(steps), list(messages), list(times))
        try:
            await self._database.fetch(_APPEND, self._id, *values)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.get().warning("logbook.not_written", id=str(self._id), error=str(error))
            self._lines = lines + self._lines

    async def _flush_for_ever(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self._closing.wait()
            await self.flush()

    def _end_line(self) -> None:
        line, self._partial = self._partial, b""
        if line:
            self._add_output(line)

    def _add_output(self, line: bytes) -> None:
        # A carriage return starts the line anew: only what a terminal would show at the end.
        text = line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode(errors="replace")
        level = "error" if _ERROR.match(text) else "warn" if _WARN.match(text) else "info"
        self._add(text, level)

    def _add(self, message: str, level: str) -> None:
        text = message.replace("\0", "�")
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        self._lines.append((level, self.step, text, clock.now()))


def _parts(secrets: tuple[str, ...]) -> set[str]:
    """Each line of each secret: a log is lines. Very short ones would only mask noise."""
    lines = (line.strip() for secret in secrets for line in secret.splitlines())
    return {line for line in lines if len(line) >= _SHORTEST_SECRET}
