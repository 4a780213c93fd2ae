"""`windlass keys`: the keys of this instance, made and rotated on its own machine."""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import asyncpg
import click

from windlass import resealing
from windlass.adapters.postgres import EmbeddedFailed, EmbeddedPostgres
from windlass.auth.key_events import KeysRotated
from windlass.auth.signing import SigningKeys
from windlass.builds import uids
from windlass.core import crypto, environment, migrations
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.events import emit
from windlass.core.settings import Settings

_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")


@click.group("keys", epilog="\b\nExamples:\n  windlass keys init\n  windlass keys rotate --data")
def command() -> None:
    """Make and rotate the keys of this instance, on its own machine."""


@command.command(epilog="\b\nExample:\n  windlass keys init")
@_json
def init(as_json: bool) -> None:
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
    _say(as_json, text or "Nothing was missing.", {"made": made})


@command.command(epilog="\b\nExample:\n  windlass keys make > data-key.txt")
def make() -> None:
    """Print a new key for WINDLASS_SECRETS__DATA_KEY or WINDLASS_SECRETS__SESSION_KEY."""
    click.echo(crypto.new_key())


@command.command(
    epilog="\b\nExamples:\n  windlass keys rotate          sessions, nobody is signed out\n"
    "  windlass keys rotate --data   stored secrets; may be repeated when it was stopped"
)
@click.option("--data", is_flag=True, help="The key of stored secrets, instead of sessions.")
@_json
def rotate(data: bool, as_json: bool) -> None:
    """Put a new key in front of the one that signs sessions, or that seals stored secrets.

    Windlass may run meanwhile. Sessions that the old key signed stay valid. Stored secrets are
    sealed again with the new key, then the old one is forgotten.
    """
    settings = _settings()
    try:
        asyncio.run(_rotate_data(settings, as_json) if data else _rotate(settings, as_json))
    except (EmbeddedFailed, OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"The database does not answer: {error}") from error


async def _rotate(settings: Settings, as_json: bool) -> None:
    keys = SigningKeys(settings.folder / "keys", settings.secrets.session_keys)
    if keys.is_given:
        _refuse("SESSION_KEY")
    async with _database(settings) as (database, _), database.transaction() as db:
        await emit(db, KeysRotated(kind="sessions"), by=None)
        kid = keys.rotate()
    _say(
        as_json,
        f"Key {kid} signs sessions from now on. Nobody is signed out.",
        {"rotated": "sessions", "key": kid},
    )


async def _rotate_data(settings: Settings, as_json: bool) -> None:
    with _Locked(settings.folder / "run" / "keys.lock"):
        ring = KeyRing.load(settings.folder / "keys", settings.secrets.data_keys)
        async with _database(settings) as (database, is_alone):
            is_resumed = bool(ring.older)
            if not is_resumed and ring.is_given:
                _refuse("DATA_KEY")
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
    _say(as_json, text, outcome)


def _refuse(name: str) -> NoReturn:
    text = f"WINDLASS_SECRETS__{name} gives the key. Put a new one (windlass keys make) in front of"
    text += " it, with a comma between them, and start Windlass again."
    if name == "DATA_KEY":
        text += " Then run this once more."
    raise click.ClickException(text)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[tuple[Database, bool]]:
    """The database, and whether we started it because Windlass does not run."""
    embedded, is_ours = None, False
    url = settings.database_url
    if not url:
        embedded = EmbeddedPostgres(settings.folder, uid=uids.of_postgres(settings))
        if not (embedded.data / "PG_VERSION").exists():
            raise click.ClickException(f"Windlass never ran in {settings.folder}.")
        is_ours = embedded.pid() is None
        await embedded.start()
        url = embedded.url
    database = Database(url, pool_size=2)
    try:
        connection = await database.connect()
        current = await migrations.current(connection)
        await connection.close()
        if current != migrations.head():
            raise click.ClickException("The database is of another version. Start Windlass once.")
        yield database, is_ours
    finally:
        await database.close()
        if embedded is not None and is_ours:
            await embedded.stop()


class _Locked:
    """One rotation at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("Another rotation is at work.") from None

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)


def _settings() -> Settings:
    try:
        return environment.load(needs_secrets=False)
    except environment.InvalidSettings as error:
        raise click.ClickException(str(error)) from error


def _say(as_json: bool, text: str, outcome: Mapping[str, object]) -> None:
    click.echo(json.dumps(outcome) if as_json else text)
