"""Tables, sessions and the one transaction rule."""

import asyncio
import datetime as dt
import functools
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, ClassVar, cast
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import (
    AdaptedConnection,
    BigInteger,
    Connection,
    DateTime,
    Enum,
    LargeBinary,
    MetaData,
    event,
    func,
    orm,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from windlass.core import caller
from windlass.core.ids import uuid7


def _values(enum: type[StrEnum]) -> list[str]:
    return [member.value for member in enum]


class Model(DeclarativeBase):
    """A row with an id that sorts by time, and its two timestamps."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dt.datetime: DateTime(timezone=True),
        bytes: LargeBinary,
        # Text with a CHECK: the database refuses any other value (C-017, C-019).
        StrEnum: Enum(
            StrEnum, native_enum=False, length=32, create_constraint=True, values_callable=_values
        ),
        int: BigInteger,
    }

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), sort_order=90)
    updated_at: Mapped[dt.datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), sort_order=91
    )


# A relationship never loads by accident: ask for it with selectinload or joinedload.
relationship = functools.partial(orm.relationship, lazy="raise_on_sql")

_REST_SECONDS = 60.0
# The roles of the migrations. The first sees what `windlass.user_id` may see, the second all.
TENANT_ROLE, SYSTEM_ROLE = "windlass_web", "windlass_system"
_TENANT = text("select set_config('windlass.user_id', :user, false)")
_TENANT_ONCE = text("select set_config('windlass.user_id', :user, true)")


class TenantSession(orm.Session):
    """A session that sees what the caller may see, whatever its statements forgot."""


@event.listens_for(TenantSession, "after_begin")
def _enter_tenant(_session: orm.Session, _transaction: object, connection: Connection) -> None:
    """Tell the database who is asking, for this transaction or, where each statement is one,
    for the connection until somebody else has it."""
    user = tenant()
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.execute(_TENANT_ONCE, {"user": user})
    elif connection.info.get("tenant") != user:
        connection.execute(_TENANT, {"user": user})
        connection.info["tenant"] = user


def tenant() -> str:
    """The caller as the database knows them; empty when nobody is signed in."""
    user_id = caller.current().user_id
    return str(user_id) if user_id is not None else ""


class Database:
    """The engine of a process. `sessions` writes, `reads` runs each statement by itself.

    With `for_tenants` every statement runs as a role that row-level security binds, in the name
    of the caller of the request (B-014).
    """

    def __init__(self, url: str, *, pool_size: int, for_tenants: bool = False) -> None:
        self.url = url
        self._for_tenants = for_tenants
        self._idle: list[tuple[asyncpg.Connection, str]] = []
        self._slots = asyncio.Semaphore(pool_size)
        self._rest: asyncio.TimerHandle | None = None
        self._resting: asyncio.Task[None] | None = None
        self._server_settings = {
            "application_name": "windlass",
            "jit": "off",
            "timezone": "UTC",
            **({"role": TENANT_ROLE} if for_tenants else {}),
        }
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_recycle=1800,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
            connect_args={
                "server_settings": self._server_settings,
                "async_creator_fn": _connect,
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        event.listen(self.engine.sync_engine, "checkin", lambda *_: self._rest_later())
        session = TenantSession if for_tenants else orm.Session
        self.sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, sync_session_class=session
        )
        self.reads = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            expire_on_commit=False,
            sync_session_class=session,
        )

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Commit on success, roll back on any error. Keep it short: no network inside."""
        return self.sessions.begin()

    def statements(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Where each statement is a transaction by itself: half the ways to the server."""
        return self.reads.begin()

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of one statement by itself, past the ORM: for what every request asks.

        Measured: a third of the time of the same statement through a session. A connection that
        a restarted database left behind is tried once more.
        """
        try:
            return await self._fetch(query, values)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError):
            self._forget()
            return await self._fetch(query, values)

    async def _fetch(self, query: str, values: tuple[object, ...]) -> list[asyncpg.Record]:
        """On an idle connection, or a new one. asyncpg's own pool makes two tasks for each use."""
        async with self._slots:
            connection, user = self._idle.pop() if self._idle else (await self.connect(), "")
            try:
                if self._for_tenants and user != (user := tenant()):
                    # A uuid, so it can stand in the text: one message less than a bind value.
                    await connection.execute(f"set windlass.user_id = '{user}'")
                rows = await connection.fetch(query, *values)
            except asyncpg.PostgresError:
                # The statement was wrong, the connection is not.
                self._keep(connection, user)
                raise
            except BaseException:
                connection.terminate()
                raise
            self._keep(connection, user)
            return rows

    def _keep(self, connection: asyncpg.Connection, user: str) -> None:
        if connection.is_closed():
            return
        self._idle.append((connection, user))
        self._rest_later()

    def _rest_later(self) -> None:
        if self._rest is None:
            loop = asyncio.get_running_loop()
            self._rest = loop.call_later(_REST_SECONDS, self._start_rest)

    def _start_rest(self) -> None:
        self._resting = asyncio.get_running_loop().create_task(self.rest())

    async def rest(self) -> None:
        """Close what is idle: a connection costs the server 5 to 10 MB, and more the longer it
        lives. A new one takes 5 ms."""
        self._rest = None
        self._forget()
        pool = self.engine.sync_engine.pool
        if not isinstance(pool, QueuePool) or pool.checkedout():
            self._rest_later()
            return
        # Swapped first, so that nobody takes a connection while it is being closed.
        await self.engine.dispose(close=False)
        await greenlet_spawn(pool.dispose)

    def _forget(self) -> None:
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.terminate()

    async def connect(self) -> asyncpg.Connection:
        """A connection outside the pool: for `fetch`, for LISTEN and for the job queue.

        A statement is planned once on it, not each time: half the time of a list.
        """
        settings = {**self._server_settings, "plan_cache_mode": "force_generic_plan"}
        return await _connect(self.url, server_settings=settings)

    async def close(self) -> None:
        await self.engine.dispose()
        if self._rest is not None:
            self._rest.cancel()
        if self._resting is not None:
            await self._resting
        self._forget()


def _refuse_closed(connection: DBAPIConnection, _record: object, _fairy: object) -> None:
    """A restarted database is noticed before a transaction begins, not in its middle. asyncpg
    hears of it by itself: to ask the server each time would be three ways to it."""
    if cast(asyncpg.Connection, cast(AdaptedConnection, connection).driver_connection).is_closed():
        raise DisconnectionError()


async def _connect(*address: Any, **options: Any) -> asyncpg.Connection:
    """A server that is being started has no socket yet: as away as one that refuses."""
    try:
        return await asyncpg.connect(*address, **options)
    except FileNotFoundError as error:
        raise ConnectionRefusedError(*error.args) from error
