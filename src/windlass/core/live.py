"""What changed, told to everybody who waits: NOTIFY in the transaction, one LISTEN a process.

A topic is `kind:id`. A message is only ever a hint to look again: losing one costs time, not truth.
"""

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import event, orm, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import log
from windlass.core.db import Database

CHANNEL = "windlass_live"
_NOTIFY = text(
    "select pg_notify('windlass_live', topic) from unnest(cast(:topics as text[])) topic"
)
_TOPICS = "announced"
_RETRY_SECONDS = 1.0
# From the moment that a page is made to the moment that it listens.
RECENT_SECONDS = 10.0
_MOST_RECENT = 1000


async def announce(db: AsyncSession, *topics: str) -> None:
    """Tell the listeners of these topics when the transaction commits: one statement for all that
    was announced in it. What a savepoint took back is told, too: they only look once more."""
    db.sync_session.info.setdefault(_TOPICS, {}).update(dict.fromkeys(topics))


@event.listens_for(orm.Session, "before_commit")
def _tell_announced(session: orm.Session) -> None:
    if not session.in_nested_transaction() and (topics := session.info.pop(_TOPICS, None)):
        session.execute(_NOTIFY, {"topics": [*topics]})


class Live:
    """Hands the messages of one database connection to the waiters of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiters: dict[str, set[Callable[[str], None]]] = defaultdict(set)
        self._recent: deque[tuple[float, str]] = deque(maxlen=_MOST_RECENT)

    async def run(self) -> None:
        """Listen for ever; a lost connection is made again, and everybody looks once more."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.get().warning("live.connection_lost", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await self._database.connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *message: self._tell(str(message[3])))
            self.wake_all()
            await lost.wait()
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close()

    def subscribe(self, topic: str, tell: Callable[[str], None]) -> Callable[[], None]:
        """Call `tell(id)` for each message of a topic (`kind:id`, or `kind` for every id of it).

        Returns what ends the subscription.
        """
        self._waiters[topic].add(tell)

        def unsubscribe() -> None:
            self._waiters[topic].discard(tell)
            if not self._waiters[topic]:
                del self._waiters[topic]

        return unsubscribe

    @asynccontextmanager
    async def watch(self, topic: str) -> AsyncGenerator[asyncio.Event]:
        """An event that is set whenever the topic changed."""
        changed = asyncio.Event()
        unsubscribe = self.subscribe(topic, lambda _: changed.set())
        try:
            yield changed
        finally:
            unsubscribe()

    def recent(self, topic: str) -> list[str]:
        """The ids that messages of this topic named in the last ten seconds, each once."""
        since = time.monotonic() - RECENT_SECONDS
        told = (message.partition(":") for at, message in self._recent if at >= since)
        return list(dict.fromkeys(id for kind, _, id in told if topic in (kind, f"{kind}:{id}")))

    def wake_all(self) -> None:
        """Messages may have been missed: everybody looks again."""
        for tells in list(self._waiters.values()):
            for tell in list(tells):
                tell("")

    def _tell(self, message: str) -> None:
        self._recent.append((time.monotonic(), message))
        kind, _, id = message.partition(":")
        for topic in (message, kind):
            for tell in list(self._waiters.get(topic, ())):
                tell(id)
