"""What has begun and waits for its second half: a row, and a secret that names it.

It lives five minutes, belongs to whom it began for, and counts once. Tries are counted in a
transaction of their own: a wrong one rolls back everything else, but not that it happened.
"""

import datetime as dt
import secrets
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.factor_errors import ChallengeOver
from windlass.auth.models import Challenge, ChallengeKind
from windlass.core import clock, crypto, ids
from windlass.core.crypto import KeyRing, SealBroken
from windlass.core.db import Database

MINUTES = 5
TRIES = 5
_Found = Row[UUID, UUID | None, bytes | None, bytes]
_COLUMNS = (Challenge.id, Challenge.user_id, Challenge.payload_sealed, Challenge.digest)


class Begun(msgspec.Struct, frozen=True):
    """The first half, as the second half finds it."""

    id: UUID
    user_id: UUID | None
    payload: bytes


class Challenges:
    """The challenges of an instance: `system` sees those of people who are not signed in yet."""

    def __init__(self, system: Database, key_ring: KeyRing) -> None:
        self._system = system
        self._key_ring = key_ring

    async def begin(
        self, db: AsyncSession, kind: ChallengeKind, *, user_id: UUID | None, payload: bytes = b""
    ) -> str:
        """Returns the secret that brings it back. Old ones go with it."""
        token = secrets.token_urlsafe(32)
        digest = crypto.digest(token)
        await db.execute(delete(Challenge).where(Challenge.expires_at < func.now()))
        # Without RETURNING: whoever is not signed in may not read it.
        await db.execute(
            insert(Challenge)
            .inline()
            .values(
                id=ids.uuid7(),
                user_id=user_id,
                kind=kind,
                digest=digest,
                payload_sealed=self._key_ring.seal(payload, context=context_of(kind, digest)),
                expires_at=clock.now() + dt.timedelta(minutes=MINUTES),
            )
        )
        return token

    async def take(self, kind: ChallengeKind, token: str) -> Begun:
        """Use it up, whatever comes after; raises ChallengeOver."""
        query = delete(Challenge).where(*_alive(kind, token)).returning(*_COLUMNS)
        async with self._system.transaction() as db:
            row = (await db.execute(query)).one_or_none()
        return self._begun(kind, row)

    async def count_try(self, kind: ChallengeKind, token: str) -> Begun:
        """One of five tries; raises ChallengeOver."""
        query = (
            update(Challenge)
            .where(*_alive(kind, token), Challenge.tries < TRIES)
            .values(tries=Challenge.tries + 1)
            .returning(*_COLUMNS)
        )
        async with self._system.transaction() as db:
            row = (await db.execute(query)).one_or_none()
        return self._begun(kind, row)

    def _begun(self, kind: ChallengeKind, row: _Found | None) -> Begun:
        if row is None:
            raise ChallengeOver()
        id, user_id, sealed, digest = row
        try:
            opened = self._key_ring.open_sealed(sealed or b"", context=context_of(kind, digest))
        except SealBroken:
            raise ChallengeOver() from None
        return Begun(id, user_id, opened)


async def owner_of(db: AsyncSession, kind: ChallengeKind, token: str) -> UUID | None:
    """Whose challenge this is, without counting a try; raises ChallengeOver."""
    query = select(Challenge.user_id).where(*_alive(kind, token), Challenge.tries < TRIES)
    row = (await db.execute(query)).one_or_none()
    if row is None:
        raise ChallengeOver()
    return row[0]


async def finish(db: AsyncSession, begun: Begun) -> None:
    """It was right: nobody can bring it back again. Raises ChallengeOver when somebody just did."""
    query = delete(Challenge).where(Challenge.id == begun.id).returning(Challenge.id)
    if await db.scalar(query) is None:
        raise ChallengeOver()


def _alive(kind: ChallengeKind, token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Challenge.kind == kind,
        Challenge.digest == crypto.digest(token),
        Challenge.expires_at > func.now(),
    )


def context_of(kind: str, digest: bytes) -> str:
    """What the seal of a payload is tied to."""
    return f"challenges.payload:{kind}:{digest.hex()}"
