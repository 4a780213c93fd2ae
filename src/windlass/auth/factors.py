"""The second factor: an authenticator app (RFC 6238), and codes for when it is lost.

A code of the app counts once and only close to its time. Ten recovery codes come with the first
second factor of an account and go with its last; the database keeps their SHA-256.
"""

import base64
import datetime as dt
import hmac
import re
import secrets
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import factor_events as events
from windlass.auth.factor_errors import FactorMissing, FactorThere, WrongCode
from windlass.auth.models import Actor, Passkey, RecoveryCode, Totp
from windlass.core import clock, crypto
from windlass.core.crypto import KeyRing
from windlass.core.events import emit

CODES = 10
_ISSUER = "Windlass"
_STEP_SECONDS = 30
_CODE_BYTES = 10  # 80 bits: SHA-256 is enough, nobody can try them all
_TOTP_CODE = re.compile(r"[0-9]{6}")


class Factors(msgspec.Struct, frozen=True):
    """What an account asks for after the first proof."""

    totp: bool
    passkeys: int
    recovery_codes: int

    @property
    def is_on(self) -> bool:
        return self.totp or self.passkeys > 0

    @property
    def methods(self) -> list[str]:
        """By which of them a sign-in can go on."""
        return [
            *(["totp"] if self.totp else []),
            *(["passkey"] if self.passkeys else []),
            *(["recoveryCode"] if self.recovery_codes else []),
        ]


class NewTotp(msgspec.Struct, frozen=True):
    """What an authenticator app must learn. Shown until it is confirmed."""

    secret: str
    uri: str

    @property
    def qr(self) -> str:
        """The address as a picture, `data:image/svg+xml…`."""
        import segno  # late: only who sets up a factor needs it

        # Dark on light in every theme: cameras expect it.
        return segno.make(self.uri, error="m").svg_data_uri(
            scale=4, border=4, dark="#000", light="#fff"
        )


async def of(db: AsyncSession, user_id: UUID) -> Factors:
    """The second factors of an account."""
    totp = select(func.count()).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
    passkeys = select(func.count()).where(Passkey.user_id == user_id, Passkey.is_second_factor)
    codes = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    row = (
        await db.execute(
            select(totp.scalar_subquery(), passkeys.scalar_subquery(), codes.scalar_subquery())
        )
    ).one()
    return Factors(totp=row[0] > 0, passkeys=row[1], recovery_codes=row[2])


async def begin_totp(db: AsyncSession, key_ring: KeyRing, *, by: Actor) -> NewTotp:
    """A new secret, not asked for at sign-in until `confirm_totp`."""
    row = await _totp(db, by.id)
    if row is not None and row.confirmed_at is not None:
        raise FactorThere()
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    sealed = key_ring.seal(secret.encode(), context=context_of(by.id))
    if row is None:
        db.add(Totp(user_id=by.id, secret_sealed=sealed))
    else:
        row.secret_sealed, row.last_step = sealed, 0
    await db.flush()
    return _shown(secret, by)


async def unconfirmed_totp(db: AsyncSession, key_ring: KeyRing, *, by: Actor) -> NewTotp | None:
    """What was begun and still waits for its first code; None when there is nothing like that."""
    row = await _totp(db, by.id)
    if row is None or row.confirmed_at is not None:
        return None
    sealed = key_ring.open_sealed(row.secret_sealed, context=context_of(by.id))
    return _shown(sealed.decode(), by)


def _shown(secret: str, by: Actor) -> NewTotp:
    from pyotp.totp import TOTP

    name = by.email or by.username or "account"
    return NewTotp(secret, TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER))


async def confirm_totp(
    db: AsyncSession, key_ring: KeyRing, code: str, *, by: Actor
) -> list[str] | None:
    """From the first right code on it is asked for; returns recovery codes if there were none."""
    row = await _totp(db, by.id)
    if row is None:
        raise FactorMissing()
    if row.confirmed_at is not None:
        raise FactorThere()
    if not await _accept_totp(db, key_ring, row, code):
        raise WrongCode()
    await db.execute(update(Totp).where(Totp.id == row.id).values(confirmed_at=clock.now()))
    await emit(db, events.TotpEnabled(user_id=by.id), by=by.id)
    return await ensure_codes(db, by=by)


async def disable_totp(db: AsyncSession, *, by: Actor) -> None:
    """Whoever calls it has seen a code."""
    query = delete(Totp).where(Totp.user_id == by.id).returning(Totp.id)
    if await db.scalar(query) is None:
        raise FactorMissing()
    await emit(db, events.TotpDisabled(user_id=by.id), by=by.id)
    await drop_codes_of_none(db, by.id)


async def accept(db: AsyncSession, key_ring: KeyRing, user_id: UUID, code: str) -> None:
    """A code of the app or a recovery code, each of them once; raises WrongCode."""
    if is_totp(code):
        row = await _totp(db, user_id)
        if row is None or row.confirmed_at is None:
            raise WrongCode()
        if not await _accept_totp(db, key_ring, row, code):
            raise WrongCode()
    else:
        await _use_recovery_code(db, user_id, code)


def is_totp(code: str) -> bool:
    """Six digits can be guessed, so their tries are counted for each account."""
    return _TOTP_CODE.fullmatch(_plain(code)) is not None


async def ensure_codes(db: AsyncSession, *, by: Actor) -> list[str] | None:
    """Recovery codes for an account that has none."""
    if (await of(db, by.id)).recovery_codes:
        return None
    return await new_codes(db, by=by)


async def new_codes(db: AsyncSession, *, by: Actor) -> list[str]:
    """Ten new codes, the only time that they can be read; the old ones open nothing any more."""
    if not (await of(db, by.id)).is_on:
        raise FactorMissing()
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == by.id))
    codes = [_new_code() for _ in range(CODES)]
    db.add_all(RecoveryCode(user_id=by.id, digest=_code_digest(code)) for code in codes)
    await db.flush()
    await emit(db, events.RecoveryCodesMade(user_id=by.id, count=CODES), by=by.id)
    return codes


async def drop_codes_of_none(db: AsyncSession, user_id: UUID) -> None:
    """With the last second factor go the codes that stood in for it."""
    if not (await of(db, user_id)).is_on:
        await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


async def _totp(db: AsyncSession, user_id: UUID) -> Totp | None:
    return await db.scalar(select(Totp).where(Totp.user_id == user_id))


async def _accept_totp(db: AsyncSession, key_ring: KeyRing, row: Totp, code: str) -> bool:
    """The step it belongs to is used up in the same statement that looks whether it was."""
    secret = key_ring.open_sealed(row.secret_sealed, context=context_of(row.user_id)).decode()
    step = _step_of(secret, _plain(code), clock.now())
    if step is None:
        return False
    query = update(Totp).where(Totp.id == row.id, Totp.last_step < step).values(last_step=step)
    return await db.scalar(query.returning(Totp.id)) is not None


def _step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """Which time step around now this is the code of: clocks may differ by one (RFC 6238)."""
    from pyotp.totp import TOTP

    known = TOTP(secret)
    current = int(now.timestamp()) // _STEP_SECONDS
    found = None
    for step in (current + 1, current - 1, current):
        # All three are looked at, whichever it is.
        if hmac.compare_digest(known.generate_otp(step).encode(), code.encode()):
            found = step
    return found


async def _use_recovery_code(db: AsyncSession, user_id: UUID, code: str) -> None:
    query = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.digest == _code_digest(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
    if await db.scalar(query.returning(RecoveryCode.id)) is None:
        raise WrongCode()
    left = (await of(db, user_id)).recovery_codes
    await emit(db, events.RecoveryCodeUsed(user_id=user_id, left=left), by=user_id)


def _new_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _code_digest(code: str) -> bytes:
    return crypto.digest(_plain(code).lower())


def _plain(code: str) -> str:
    """Without what people put between the letters to read them."""
    return "".join(code.split()).replace("-", "")


def context_of(user_id: UUID) -> str:
    """What the seal of a secret is tied to."""
    return f"totps.secret:{user_id}"
