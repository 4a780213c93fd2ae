"""Browsers that somebody signed in with before: what is tried there counts apart.

Five tries in a minute for each account keep guessers out, and would let one of them keep the owner
out, by trying all the time. So a sign-in leaves a sealed cookie that names its account. Where it is
carried, tries for that account, and those of that place, count in a limit of their own, which a
stranger has no way to use up. All browsers of an account share it: however many cookies somebody
collects with an account of theirs, they get one more limit and not more.

It opens nothing. Who steals it may try as often as any stranger may.
"""

import base64
import datetime as dt
from uuid import UUID

import msgspec

from windlass.auth.models import Actor
from windlass.core import clock
from windlass.core.crypto import KeyRing, SealBroken

COOKIE = "windlass_device"
DAYS = 180
_CONTEXT = "known_device"
_MOST_LETTERS = 1500


class Device(msgspec.Struct, frozen=True):
    """A browser that this account was signed in with, under the names that it had then."""

    user_id: UUID
    names: tuple[str, ...]
    expires_at: dt.datetime

    @property
    def key(self) -> str:
        """What its tries are counted for."""
        return f"device:{self.user_id}"


def sealed(key_ring: KeyRing, actor: Actor) -> str:
    """The value of the cookie for who just signed in."""
    names = tuple(name for name in (actor.email, actor.username) if name)
    device = Device(actor.id, names, clock.now() + dt.timedelta(days=DAYS))
    clear = msgspec.json.encode(device)
    return base64.urlsafe_b64encode(key_ring.seal(clear, context=_CONTEXT)).decode().rstrip("=")


def of(cookie: str, key_ring: KeyRing) -> Device | None:
    """The device that a cookie speaks of; None when it is none of ours, too old, or was changed."""
    if not cookie or len(cookie) > _MOST_LETTERS:
        return None
    try:
        sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        clear = key_ring.open_sealed(sealed, context=_CONTEXT)
        device = msgspec.json.decode(clear, type=Device)
    except (ValueError, SealBroken, msgspec.MsgspecError):
        return None
    return device if device.expires_at > clock.now() else None
