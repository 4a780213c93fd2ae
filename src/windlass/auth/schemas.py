"""What the account routes take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from windlass.auth import devices
from windlass.auth.models import Actor, Session, SignUpInvitation, User
from windlass.core import ids
from windlass.core.schemas import In, Out

# As browsers check it (HTML, "valid e-mail address"): ASCII only, so nobody is a look-alike of
# somebody else, and nothing in it can be a part of a header.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*$(?!\n)",
        description="This is not an e-mail address",
    ),
]
Username = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=50,
        pattern=r"^[A-Za-z0-9_]+$(?!\n)",
        description="Use letters from A to Z, digits and underscores",
    ),
]
Password = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=256,
        pattern=r"^(?=[\s\S]*[A-Z])(?=[\s\S]*[0-9])(?=[\s\S]*[^A-Za-z0-9])",
        description="Use at least one capital letter, one digit and one special character",
    ),
]
AnyPassword = Annotated[str, Meta(max_length=256)]
Secret = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
# Shown by programs; pages of the panel load nothing from other hosts.
Image = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[!-;=?-Z\\^-~\[\]]*)?$(?!\n)",
        description="Use the address of a picture that begins with https://",
    ),
]
Language = Literal["en", "zh", "ja", "ko", "de"]
Login = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[^\u0000-\u001f\u007f]*$",
        description="This is neither a user name nor an e-mail address",
    ),
]


class SignIn(In):
    """User name or e-mail in `login` (D-42); `email` and `username` are other names for it."""

    password: AnyPassword
    login: Login = ""
    email: Login = ""
    username: Login = ""
    # For programs: the session as a Bearer token in the answer, and no cookie.
    token: bool = False

    @property
    def who(self) -> str:
        return (self.login or self.email or self.username).strip()


class Setup(In):
    token: Secret
    email: Email
    password: Password
    username: Username | None = None
    name: Name | None = None


class SignUp(In):
    username: Username
    email: Email
    password: Password
    name: Name | None = None
    # The secret of an invitation's link.
    invitation: Secret | None = None
    token: bool = False


class SignUpInvite(In):
    email: Email


class Address(In):
    email: Email


class LinkToken(In):
    """The secret of a link in a mail."""

    token: Secret


class LinkSignIn(In):
    link: Secret
    token: bool = False


class PasswordReset(In):
    token: Secret
    password: Password


class AccountChange(In):
    """Only what is given changes; null clears a name, a picture or the language. Another e-mail
    address needs the current password, and counts when the link sent there was opened."""

    name: Name | UnsetType | None = UNSET
    image: Image | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    username: Username | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    current_password: AnyPassword | None = None


class PasswordChange(In):
    current: AnyPassword
    new: Password


class Departure(In):
    """`delete_along` names what the summary says is deleted with the account, such as projects."""

    password: AnyPassword | None = None
    delete_along: tuple[Annotated[str, Meta(max_length=40)], ...] = ()


class UserOut(Out):
    """Who is signed in (C-032)."""

    id: str
    email: str | None
    name: str | None
    plan: str
    image: str | None

    @classmethod
    def of(cls, actor: Actor) -> "UserOut":
        return cls(
            id=ids.public("user", actor.id),
            email=actor.email,
            name=actor.name,
            plan=actor.plan.value.lower(),
            image=actor.image,
        )


class SignedInOut(UserOut):
    """Who is signed in now. `token` is there when it was asked for."""

    username: str | None
    token: str | UnsetType = UNSET

    @classmethod
    def of_actor(cls, actor: Actor, token: str | None) -> "SignedInOut":
        basics = msgspec.structs.asdict(UserOut.of(actor))
        return cls(**basics, username=actor.username, token=token or UNSET)


class AccountOut(Out):
    """One's own account in full. `pending_email` waits for the link that was sent to it."""

    id: str
    username: str | None
    email: str | None
    is_verified: bool
    pending_email: str | None
    name: str | None
    image: str | None
    language: str | None
    plan: str
    is_admin: bool
    has_password: bool
    created_at: dt.datetime

    @classmethod
    def of(cls, user: User, pending_email: str | None = None) -> "AccountOut":
        return cls(
            id=ids.public("user", user.id),
            username=user.username,
            email=user.email,
            is_verified=user.email_verified_at is not None,
            pending_email=pending_email,
            name=user.name,
            image=user.image,
            language=user.language,
            plan=user.plan.value.lower(),
            is_admin=user.is_admin,
            has_password=user.password_hash is not None,
            created_at=user.created_at,
        )


class SessionOut(Out):
    """A browser or program that is signed in (C-037)."""

    id: str
    device: str
    address: str
    is_current: bool
    last_used_at: dt.datetime
    created_at: dt.datetime
    expires_at: dt.datetime

    @classmethod
    def of(cls, row: Session, actor: Actor) -> "SessionOut":
        return cls(
            id=ids.public("sess", row.id),
            device=devices.describe(row.user_agent),
            address=row.address,
            is_current=row.id == actor.session_id,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class SignUpInvitationOut(Out):
    """Somebody who may sign up. The link is in the mail only."""

    id: str
    email: str
    expires_at: dt.datetime
    used_at: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, row: SignUpInvitation) -> "SignUpInvitationOut":
        return cls(
            id=ids.public("sinv", row.id),
            email=row.email,
            expires_at=row.expires_at,
            used_at=row.used_at,
            created_at=row.created_at,
        )


class LossOut(Out):
    """What goes with an account. `needs_consent` must be named in `deleteAlong`."""

    kind: str
    count: int
    names: list[str]
    needs_consent: bool


class DepartureOut(Out):
    """What deleting the account takes along, and what stands in its way (B-023)."""

    account: AccountOut
    losses: list[LossOut]
    reasons: list[str]


def changes(wanted: AccountChange) -> dict[str, str | None]:
    """The fields of the profile that were given."""
    found = msgspec.structs.asdict(wanted)
    names = ("name", "image", "language", "username")
    return {name: found[name] for name in names if found[name] is not UNSET}
