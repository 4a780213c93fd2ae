"""What every test may ask for.

One embedded PostgreSQL per test worker, one rolled-back transaction per test, the application built
once. `instance` is the real thing: `windlass up` in a process of its own.
"""

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx2
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from litestar import Litestar
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from sqlalchemy import Connection, event, orm
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker

import windlass.worker  # noqa: F401 - registers jobs and loops
from tests import clusters, make
from tests.kube.server import FakeCluster
from tests.running import PATIENCE_SECONDS, Instance
from windlass import app as windlass_app
from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth.front import Identities
from windlass.auth.models import Actor
from windlass.auth.signing import SigningKeys
from windlass.core import caller, languages, limit
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.db import TENANT_ROLE, Database, tenant
from windlass.core.live import Live
from windlass.core.settings import Clusters, Settings

# A busy machine is no reason to fail.
# What its health checks say depends on how busy the machine is: they are for who writes a test.
hypothesis_settings.register_profile(
    "windlass",
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
hypothesis_settings.load_profile("windlass")
# Not "localhost": cookie jars treat it as no host at all.
PANEL = "http://panel.example"
# Until everything is collected: see below.
gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays; looking through it again and again is a fifteenth of
    the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a browser come last: once it is open, its event loop has the thread, and no other
    can be run in it."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all tests of this worker. The one without windows takes a third of the
    processor time of the one that only hides them."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: apt-get install chromium-headless-shell")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def new_context(browser: Browser) -> Callable[..., BrowserContext]:
    """A browser with nothing kept, which waits as long as everything here."""

    def made(**options: Any) -> BrowserContext:
        found = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        found.set_default_timeout(PATIENCE_SECONDS * 1000)
        return found

    return made


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


class RolledBack(Database):
    """A database whose every statement is in one transaction that never ends well.

    `tenants` is the same transaction as the web process sees it: as a role that row-level
    security binds, in the name of the caller.
    """

    def __init__(self, url: str) -> None:
        super().__init__(f"{url}&prepared_statement_cache_size=1000", pool_size=1)
        self.url = url
        for end in ("release_savepoint", "rollback_savepoint"):
            event.listen(self.engine.sync_engine, end, _name_it_again)
        self._connection: AsyncConnection | None = None
        self.tenants = _Tenants(self)

    async def begin(self) -> None:
        connection = self._connection = await self.engine.connect()
        await connection.begin()
        self.sessions = self.reads = self.sessions_of(_SystemSession)
        self.tenants.sessions = self.tenants.reads = self.sessions_of(_WebSession)

    def sessions_of(self, kind: type[orm.Session]) -> Any:
        assert self._connection is not None
        return async_sessionmaker(
            self._connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            sync_session_class=kind,
        )

    async def roll_back(self) -> None:
        assert self._connection is not None
        await self._connection.rollback()
        await self._connection.close()

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        return await self.fetch_as("none", query, *values)

    async def fetch_as(self, role: str, query: str, *values: object) -> list[asyncpg.Record]:
        assert self._connection is not None
        raw = await self._connection.get_raw_connection()
        connection = cast(asyncpg.Connection, raw.driver_connection)
        await connection.fetch(_AS, role, str(tenant()))
        return await connection.fetch(query, *values)

    async def execute(self, statement: str) -> None:
        """One without an answer, as whoever the transaction is at this moment."""
        assert self._connection is not None
        raw = await self._connection.get_raw_connection()
        await cast(asyncpg.Connection, raw.driver_connection).execute(statement)


def _name_it_again(connection: Any, name: str, _context: object) -> None:
    """The next savepoint has the number of the one that ended: with numbers that only grow each
    is another statement, which the server has to learn first."""
    connection._Connection__savepoint_seq = int(name.rpartition("_")[2]) - 1


class _Tenants(Database):
    def __init__(self, whole: RolledBack) -> None:
        super().__init__(whole.url, pool_size=1, for_tenants=True)
        self._whole = whole

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        return await self._whole.fetch_as(TENANT_ROLE, query, *values)


class _SystemSession(orm.Session):
    pass


class _WebSession(orm.Session):
    pass


# Both at once: a statement is a way to the server and back.
_AS = "select set_config('role', $1, true), set_config('windlass.user_id', $2, true)"


@event.listens_for(_SystemSession, "after_begin")
def _enter_system(_session: object, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql("set local role none")


@event.listens_for(_WebSession, "after_begin")
def _enter_web(_session: object, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql(_AS, (TENANT_ROLE, str(tenant())))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this worker's own, with the schema in the database `windlass`."""
    home = tmp_path_factory.mktemp("pg")
    clusters.put(home)
    server = EmbeddedPostgres(home, uid=clusters.UID)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def kube_server() -> Iterator[FakeCluster]:
    server = FakeCluster()
    yield server
    server.stop()


@pytest.fixture
def kube(kube_server: FakeCluster) -> FakeCluster:
    """A Kubernetes API server with nothing in it."""
    kube_server.reset()
    return kube_server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    for name in ("keys", "run", "blobs", "releases", "sites", "logs", "work"):
        (home / name).mkdir(parents=True)
    return Settings(home=str(home), port=8000, clusters=Clusters(allow_private="127.0.0.0/8"))


@pytest.fixture(scope="session")
async def shared_database(postgres: EmbeddedPostgres) -> AsyncIterator[RolledBack]:
    """One connection and one engine for all tests of a worker: what they have learned of the
    schema and of statements is half of the time of a test that begins with new ones."""
    found = RolledBack(postgres.url)
    yield found
    await found.close()


@pytest.fixture
async def database(shared_database: RolledBack) -> AsyncIterator[RolledBack]:
    await shared_database.begin()
    yield shared_database
    await shared_database.roll_back()
    # Tests that share a connection share the task they run in: what a request entered goes with it.
    caller.enter(caller.NOBODY)
    languages.enter(languages.DEFAULT)
    limit.enter(None)


@pytest.fixture
def key_ring(settings: Settings) -> KeyRing:
    return KeyRing.load(settings.folder / "keys")


_built: list[Litestar] = []


@pytest.fixture
def app(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Litestar:
    """The application, built once per worker; only its parts are this test's."""
    blobs = BlobStore(settings.folder / "blobs")
    if not _built:
        live = Live(database)
        _built.append(
            windlass_app.build(settings, database.tenants, database, live, key_ring, blobs)
        )
    state = _built[0].state
    live = Live(database)
    state.update(
        {
            "settings": settings,
            "database": database.tenants,
            "system": database,
            "identities": Identities(database, SigningKeys(settings.folder / "keys"), live),
            "live": live,
            "key_ring": key_ring,
            "blobs": blobs,
            "health": None,
        }
    )
    state.limiter.reset()
    return _built[0]


@pytest.fixture
async def owner(database: RolledBack) -> Actor:
    return await make.user(database, email="owner@example.com")


def client_of(app: Litestar, token: str | None = None) -> httpx2.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url=PANEL, headers=headers)


@pytest.fixture
async def client(
    app: Litestar, database: RolledBack, owner: Actor
) -> AsyncIterator[httpx2.AsyncClient]:
    """Signed in as the owner, with an API token."""
    async with client_of(app, await make.token(database, owner)) as found:
        yield found


@pytest.fixture
async def anonymous(app: Litestar) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app) as found:
        yield found


@pytest.fixture
async def other(app: Litestar) -> AsyncIterator[httpx2.AsyncClient]:
    """Another browser, where nobody is signed in, and whose forms are ours."""
    async with client_of(app) as found:
        found.headers["origin"] = PANEL
        yield found


@pytest.fixture
async def stranger(app: Litestar, database: RolledBack) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody else who is signed in."""
    other = await make.user(database, email="stranger@example.com")
    async with client_of(app, await make.token(database, other)) as found:
        yield found


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real Windlass on a free port, shared by the tests of this worker."""
    found = Instance(tmp_path_factory.mktemp("wl"), has_example=True)
    found.start()
    yield found
    found.stop()


@pytest.fixture(autouse=True, scope="session")
def _own_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    # Each worker of a run has a folder of its own in that of the run.
    clusters.keep_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> None:
    """No setting of the developer's shell reaches a test."""
    ours = (name for name in os.environ if name.startswith("WINDLASS_"))
    for name in [name for name in ours if name != "WINDLASS_SCREENSHOTS"]:
        del os.environ[name]
