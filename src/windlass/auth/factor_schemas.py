"""What the routes of second factors and passkeys take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.auth.challenges import MINUTES
from windlass.auth.factors import Factors
from windlass.auth.models import Passkey
from windlass.core import clock, ids
from windlass.core.schemas import In, Out

Code = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=40,
        pattern=r"^[0-9A-Za-z -]+$(?!\n)",
        description="Use the six digits of the app, or a recovery code",
    ),
]
PasskeyName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[^\u0000-\u001f\u007f]+$(?!\n)",
        description="Use a name of 1 to 60 letters",
    ),
]
Secret = Annotated[str, Meta(max_length=200)]
Password = Annotated[str, Meta(max_length=256)]
# Base64 of a few kilobytes at the most.
Bytes = Annotated[str, Meta(max_length=16_000, pattern=r"^[A-Za-z0-9_-]*$(?!\n)")]
Method = Literal["totp", "passkey", "recoveryCode"]


class Proof(In, kw_only=True):
    """The password; without it the session must be of the last ten minutes."""

    password: Password | None = None


class TotpConfirm(In, kw_only=True):
    code: Code


class TotpDisable(In, kw_only=True):
    """A code of the app or a recovery code, and the password where the account has one."""

    code: Code
    password: Password | None = None


class SecondFactor(In, kw_only=True):
    """The challenge that the sign-in answered with, and a code."""

    challenge: Secret
    code: Code
    # For programs: the session as a Bearer token in the answer, and no cookie.
    token: bool = False


class ChallengeGiven(In, kw_only=True):
    challenge: Secret


class AssertionResponse(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an authenticator signed (WebAuthn, AuthenticatorAssertionResponse)."""

    client_data_json: Bytes = msgspec.field(name="clientDataJSON")
    authenticator_data: Bytes = msgspec.field(name="authenticatorData")
    signature: Bytes
    user_handle: Bytes | None = msgspec.field(name="userHandle", default=None)


class Assertion(In, kw_only=True):
    """A passkey that was used: PublicKeyCredential of `navigator.credentials.get`."""

    id: Bytes
    raw_id: Bytes
    type: Literal["public-key"] = "public-key"
    response: AssertionResponse


class PasskeySignIn(In, kw_only=True):
    credential: Assertion
    token: bool = False


class PasskeySecond(In, kw_only=True):
    challenge: Secret
    credential: Assertion
    token: bool = False


class AttestationResponse(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an authenticator made (WebAuthn, AuthenticatorAttestationResponse)."""

    client_data_json: Bytes = msgspec.field(name="clientDataJSON")
    attestation_object: Bytes = msgspec.field(name="attestationObject")
    transports: list[Annotated[str, Meta(max_length=20, pattern="^[a-z-]+$")]] = []


class Attestation(In, kw_only=True):
    """A new passkey: PublicKeyCredential of `navigator.credentials.create`."""

    id: Bytes
    raw_id: Bytes
    type: Literal["public-key"] = "public-key"
    response: AttestationResponse


class PasskeyCreate(In, kw_only=True):
    name: PasskeyName
    credential: Attestation


class PasskeyChange(In, kw_only=True):
    """Only what is given changes. To ask for a passkey after a password, or no longer, needs the
    password or a session of the last ten minutes."""

    name: PasskeyName | None = None
    is_second_factor: bool | None = None
    password: Password | None = None


class SecondFactorOut(Out):
    """The password was right; one of `methods` is asked for until `expires_at`."""

    challenge: str
    methods: list[Method]
    expires_at: dt.datetime

    @classmethod
    def of(cls, challenge: str, methods: list[str]) -> "SecondFactorOut":
        return cls(
            challenge=challenge,
            methods=msgspec.convert(methods, list[Method]),
            expires_at=clock.now() + dt.timedelta(minutes=MINUTES),
        )


class TotpOut(Out):
    """For the authenticator app. `qr` is a picture of `uri`."""

    secret: str
    uri: str
    qr: str


class RecoveryCodesOut(Out):
    """Shown once. Null when the account keeps those it has."""

    recovery_codes: list[str] | None


class PasskeyOut(Out):
    """A passkey of one's own."""

    id: str
    name: str
    is_second_factor: bool
    last_used_at: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Passkey) -> "PasskeyOut":
        return cls(
            id=ids.public("pkey", row.id),
            name=row.name,
            is_second_factor=row.is_second_factor,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
        )


class PasskeyChangedOut(PasskeyOut, kw_only=True):
    """`recovery_codes` are shown once, when this is the first second factor of the account."""

    recovery_codes: list[str] | None = None

    @classmethod
    def after(cls, row: Passkey, codes: list[str] | None) -> "PasskeyChangedOut":
        basics = PasskeyOut.of(row)
        return cls(**msgspec.structs.asdict(basics), recovery_codes=codes)


class FactorsOut(Out):
    """The second factors of one's account."""

    totp: bool
    passkeys: list[PasskeyOut]
    recovery_codes_left: int

    @classmethod
    def of(cls, found: Factors, passkeys: list[Passkey]) -> "FactorsOut":
        return cls(
            totp=found.totp,
            passkeys=[PasskeyOut.of(row) for row in passkeys],
            recovery_codes_left=found.recovery_codes,
        )
