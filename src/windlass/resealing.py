"""Every stored secret under the newest key, while everything runs (C-294, E-12).

Each secret names the key that sealed it. What another key than the newest sealed is opened and
sealed again, in short transactions: whoever is killed in the middle leaves a ring that opens all of
it, and the next run goes on from there. An old key is forgotten only when nothing needs it.
"""

import asyncio
import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import challenges, factors, providers
from windlass.builds import logins
from windlass.clusters import service as clusters
from windlass.core import crypto, idempotency, log, process
from windlass.core.crypto import KeyRing, SealBroken
from windlass.core.db import Database, Model
from windlass.projects import deploy_keys
from windlass.projects import service as projects
from windlass.releases import sealing as releases
from windlass.webhooks import reporting
from windlass.webhooks import service as webhooks

_BATCH = 100
# Between sealing and the end of the transaction that stores it, in any process.
_SETTLE_SECONDS = 5.0
_LOOK_SECONDS = 0.1


class Store(NamedTuple):
    """A column of sealed values, and what the seal of a row is tied to."""

    table: str
    column: str
    needs: tuple[str, ...]
    context: Callable[[Any], str]


def _identity(kind: str) -> Store:
    return Store(
        "accounts",
        f"{kind}_token_sealed",
        ("provider", "provider_account_id"),
        lambda row: providers.token_context(kind, row.provider, row.provider_account_id),
    )


STORES = (
    Store(
        "env_variables",
        "value_sealed",
        ("project_id", "key", "target"),
        lambda row: projects.context_of(row.project_id, row.key, row.target),
    ),
    Store("totps", "secret_sealed", ("user_id",), lambda row: factors.context_of(row.user_id)),
    _identity("access"),
    _identity("refresh"),
    Store(
        "challenges",
        "payload_sealed",
        ("kind", "digest"),
        lambda row: challenges.context_of(row.kind, row.digest),
    ),
    Store(
        "projects",
        "deploy_key_sealed",
        (),
        lambda row: deploy_keys.context_of(row.id),
    ),
    Store(
        "registry_logins",
        "password_sealed",
        ("project_id", "host"),
        lambda row: logins.context_of(row.project_id, row.host),
    ),
    Store(
        "webhooks",
        "secret_sealed",
        ("project_id",),
        lambda row: webhooks.context_of(row.project_id),
    ),
    Store(
        "webhooks",
        "token_sealed",
        ("project_id",),
        lambda row: reporting.context_of(row.project_id),
    ),
    Store(
        "clusters",
        "credential_sealed",
        (),
        lambda row: clusters.context_of(row.id),
    ),
    Store(
        "revisions",
        "manifest_sealed",
        ("release_id", "number"),
        lambda row: releases.context_of(row.release_id, row.number, "manifest"),
    ),
    Store(
        "revisions",
        "source_sealed",
        ("release_id", "number"),
        lambda row: releases.context_of(row.release_id, row.number, "source"),
    ),
    Store(
        "idempotent_answers",
        "body",
        ("user_id", "key"),
        lambda row: idempotency.context_of(row.user_id, row.key),
    ),
)


class Done(msgspec.Struct):
    """How a run ended. `in_use` says what still needs an old key; nothing is left when empty."""

    resealed: int = 0
    in_use: list[str] = []


async def reseal(database: Database, home: Path, ring: KeyRing, *, is_alone: bool) -> Done:
    """Seal everything with the newest key, and forget the others when nothing needs them."""
    async with database.transaction() as db:
        begun = await db.scalar(text("select clock_timestamp()"))
    done = Done(resealed=await _pass(database, home, ring))
    if not is_alone:
        # What a request sealed with the old key a moment ago, and stores only now.
        await asyncio.sleep(_SETTLE_SECONDS)
        await _wait_for_older(database, begun)
        done.resealed += await _pass(database, home, ring)
    done.in_use = await _in_use(database, home, ring)
    if not done.in_use and ring.has_old_file:
        ring.forget_older()
    return done


async def _pass(database: Database, home: Path, ring: KeyRing) -> int:
    count = 0
    for store in STORES:
        count += await _rows(database, store, ring)
    return count + await asyncio.to_thread(_files, home, ring)


async def _rows(database: Database, store: Store, ring: KeyRing) -> int:
    columns = ", ".join(("id", store.column, *store.needs))
    look = text(
        f"select {columns} from {store.table} where {_is_old(store.column)}"
        " and (cast(:after as uuid) is null or id > :after) order by id limit :batch for update"
    )
    write = text(f"update {store.table} set {store.column} = :sealed where id = :id")
    count, after = 0, None
    while True:
        async with database.transaction() as db:
            rows = (await db.execute(look, {**_old(ring), "after": after, "batch": _BATCH})).all()
            for row in rows:
                sealed = _again(ring, getattr(row, store.column), store.context(row))
                if sealed is not None:
                    await db.execute(write, {"sealed": sealed, "id": row.id})
                    count += 1
        if not rows:
            return count
        after = rows[-1].id


def _again(ring: KeyRing, sealed: bytes, context: str) -> bytes | None:
    try:
        return ring.seal(ring.open_sealed(sealed, context=context), context=context)
    except SealBroken:
        # It stays, and with it the key that it names.
        log.get().error("keys.broken", what=context.split(":")[0])
        return None


def _files(home: Path, ring: KeyRing) -> int:
    count = 0
    for path in _sealed_files(home):
        try:
            before = path.read_bytes()
            if crypto.key_name(before) not in ring.older:
                continue
            sealed = _again(ring, before, process.context_of(path.parent.name))
            if sealed is not None:
                _replace(path, sealed)
                count += 1
        except FileNotFoundError:
            # Its release was pruned meanwhile.
            continue
    return count


def _sealed_files(home: Path) -> Iterator[Path]:
    return (home / "releases").glob(f"*/{process.FILE}")


def _replace(path: Path, sealed: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


async def _wait_for_older(database: Database, begun: object) -> None:
    """Transactions that began before are over."""
    query = text(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and xact_start < :begun and pid <> pg_backend_pid()"
    )
    while True:
        async with database.transaction() as db:
            if not await db.scalar(query, {"begun": begun}):
                return
        await asyncio.sleep(_LOOK_SECONDS)


async def _in_use(database: Database, home: Path, ring: KeyRing) -> list[str]:
    """What names a key that is not the newest; also where STORES has forgotten a column."""
    found: list[str] = []
    async with database.transaction() as db:
        for table, column in sealed_columns():
            query = text(f"select count(*) from {table} where {_is_old(column)}")
            if count := await db.scalar(query, _old(ring)):
                found.append(f"{table}.{column}: {count}")
        if count := await _waiting_jobs(db, ring):
            found.append(f"jobs that wait, such as mails: {count}")
    files = sum(crypto.key_name(path.read_bytes()) in ring.older for path in _sealed_files(home))
    return found + ([f"files of releases: {files}"] if files else [])


def sealed_columns() -> list[tuple[str, str]]:
    """Every column of sealed values: those of STORES, and those that are called so."""
    named = {
        (table.name, column.name)
        for table in Model.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed") and isinstance(column.type, LargeBinary)
    }
    return sorted(named | {(store.table, store.column) for store in STORES})


async def _waiting_jobs(db: AsyncSession, ring: KeyRing) -> int:
    """Secrets on their way stand in jobs as Base64, which begins with the name of their key."""
    count = 0
    query = text(
        "select count(*) from pgqueuer where position(cast(:start as bytea) in payload) > 0"
    ).bindparams(bindparam("start", type_=LargeBinary))
    for name in ring.older:
        start = base64.b64encode(b"\x01" + name)[:6]
        count += await db.scalar(query, {"start": start}) or 0
    return count


def _is_old(column: str) -> str:
    # One byte of version, then the name of the key.
    return f"substr({column}, 2, 4) = any(cast(:old as bytea[]))"


def _old(ring: KeyRing) -> dict[str, object]:
    return {"old": ring.older}
