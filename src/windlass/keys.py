"""`windlass keys`: the keys of this instance, made and rotated on its own machine."""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import click

from windlass import resealing
from windlass.adapters.postgres import EmbeddedFailed, EmbeddedPostgres
from windlass.auth.key_events import KeysRotated
from windlass.auth.signing import SigningKeys
from windlass.builds import uids
from windlass.cli.errors import CliError, Failed
from windlass.cli.session import Session, standard
from windlass.core import crypto, environment, migrations
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.events import emit
from windlass.core.settings import Settings


class NeverRan(CliError):
    """Windlass never ran in {home}."""

    fix = "Is WINDLASS_HOME right? `windlass keys init` makes the keys of a new instance."


class NoDatabase(CliError):
    """The database does not answer: {reason}."""


class WrongSettings(CliError):
    """The settings are wrong."""

    def more(self, verbose: bool) -> list[str]:
        return str(self.facts["lines"]).splitlines()


class OtherVersion(CliError):
    """The database is of another version."""

    fix = "Start Windlass once, then run this again."


class KeyGiven(CliError):
    """WINDLASS_SECRETS__{name} gives the key."""

    fix = (
        "Put a new one (windlass keys make) in front of it, with a comma between them, and start"
        " Windlass again.{then}"
    )


@click.group("keys", epilog="\b\nExamples:\n  windlass keys init\n  windlass keys rotate --data")
def command() -> None:
    """Make and rotate the keys of this instance, on its own machine."""


@command.command(epilog="\b\nExample:\n  windlass keys init")
@standard
@click.pass_obj
def init(session: Session) -> None:
    """Make the keys that are missing, in <home>/keys. Production makes none by itself."""
    settings = _settings()
    folder = settings.folder / "keys"
    found = {name: not (folder / name).exists() for name in ("data.json", "sessions.json")}
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    KeyRing.load(folder, settings.secrets.data_keys)
    SigningKeys(folder, settings.secrets.session_keys).make()
    made = [str(folder / name) for name, was_missing in found.items() if was_missing]
    made = [path for path in made if Path(path).exists()]
    text = f"Made {' and '.join(made)}. Keep a copy apart from the database's." if made else ""
    _say(session, text or "Nothing was missing.", {"made": made})


@command.command(epilog="\b\nExample:\n  windlass keys make > data-key.txt")
def make() -> None:
    """Print a new key for WINDLASS_SECRETS__DATA_KEY or WINDLASS_SECRETS__SESSION_KEY."""
    click.echo(crypto.new_key())


@command.command(
    epilog="\b\nExamples:\n  windlass keys rotate          sessions, nobody is signed out\n"
    "  windlass keys rotate --data   stored secrets; may be repeated when it was stopped"
)
@click.option("--data", is_flag=True, help="The key of stored secrets, instead of sessions.")
@standard
@click.pass_obj
def rotate(session: Session, data: bool) -> None:
    """Put a new key in front of the one that signs sessions, or that seals stored secrets.

    Windlass may run meanwhile. Sessions that the old key signed stay valid. Stored secrets are
    sealed again with the new key, then the old one is forgotten.
    """
    settings = _settings()
    _refuse_empty(settings)
    asyncio.run(_rotate_data(settings, session) if data else _rotate(settings, session))


async def _rotate(settings: Settings, session: Session) -> None:
    keys = SigningKeys(settings.folder / "keys", settings.secrets.session_keys)
    if keys.is_given:
        raise KeyGiven(name="SESSION_KEY", then="")
    async with _database(settings) as (database, _), database.transaction() as db:
        await emit(db, KeysRotated(kind="sessions"), by=None)
        kid = keys.rotate()
    _say(
        session,
        f"Key {kid} signs sessions from now on. Nobody is signed out.",
        {"rotated": "sessions", "key": kid},
    )


async def _rotate_data(settings: Settings, session: Session) -> None:
    with _Locked(settings.folder / "run" / "keys.lock"):
        ring = KeyRing.load(settings.folder / "keys", settings.secrets.data_keys)
        async with _database(settings) as (database, is_alone):
            is_resumed = bool(ring.older)
            if not is_resumed and ring.is_given:
                raise KeyGiven(name="DATA_KEY", then=" Then run this once more.")
            if not is_resumed:
                ring.add()
            done = await resealing.reseal(database, settings.folder, ring, is_alone=is_alone)
            async with database.transaction() as db:
                await emit(db, KeysRotated(kind="data", resealed=done.resealed), by=None)
    begun = "Went on with the rotation that had begun. " if is_resumed else ""
    text = f"{begun}{done.resealed} secrets are sealed with the new key."
    outcome = {"rotated": "data", "resealed": done.resealed, "inUse": done.in_use}
    if done.in_use:
        text += "\nThe old key is still needed by " + "; ".join(done.in_use)
        text += ". Run this once more later."
    elif ring.older:
        text += "\nTake the old key out of WINDLASS_SECRETS__DATA_KEY: nothing needs it."
    _say(session, text, outcome)


def _refuse_empty(settings: Settings) -> None:
    """Before anything is written into a home that may only be misspelt."""
    if not settings.database_url and not (_embedded(settings).data / "PG_VERSION").exists():
        raise NeverRan(home=settings.folder)


def _embedded(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.folder, uid=uids.of_postgres(settings))


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[tuple[Database, bool]]:
    """The database, and whether we started it because Windlass does not run."""
    embedded = None if settings.database_url else _embedded(settings)
    is_ours = embedded is not None and embedded.pid() is None
    database = Database(embedded.url if embedded else settings.database_url, pool_size=2)
    try:
        if await _version(database, embedded) != migrations.head():
            raise OtherVersion
        yield database, is_ours
    finally:
        await database.close()
        if embedded is not None and is_ours:
            await embedded.stop()


async def _version(database: Database, embedded: EmbeddedPostgres | None) -> str | None:
    """Of its tables, once it answers. Raises NoDatabase."""
    try:
        if embedded is not None:
            await embedded.start()
        connection = await database.connect()
    except (EmbeddedFailed, OSError, asyncpg.PostgresError) as error:
        raise NoDatabase(reason=error) from error
    try:
        return await migrations.current(connection)
    finally:
        await connection.close()


class _Locked:
    """One rotation at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(reason="Another rotation is at work.") from None

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)


def _settings() -> Settings:
    try:
        return environment.load(needs_secrets=False)
    except environment.InvalidSettings as error:
        raise WrongSettings(lines=error) from error


def _say(session: Session, text: str, outcome: Mapping[str, object]) -> None:
    session.say(text)
    session.result(json.dumps(outcome).encode())
