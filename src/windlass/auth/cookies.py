"""The cookies of the panel: the session, that the browser is known, the theme that it chose."""

from litestar.datastructures import Cookie
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import challenges, known_devices, sessions
from windlass.auth.front import COOKIE
from windlass.auth.models import Actor
from windlass.core.http import Request

SECOND_FACTOR = "windlass_second_factor"
SECOND_FACTOR_PATH = "/sign-in"
_YEAR_SECONDS = 31_536_000


def session(request: Request, value: str) -> Cookie:
    """Not readable by scripts, not sent by other sites, over TLS where the panel has TLS."""
    age = sessions.DAYS_ABSOLUTE * 86400
    return Cookie(
        COOKIE, value=value, max_age=age, httponly=True, samesite="lax", secure=has_tls(request)
    )


async def open_session(request: Request, db: AsyncSession, actor: Actor) -> Cookie:
    """A new session of this browser, and the cookie that carries it."""
    signing = request.app.state.identities.signing
    return session(request, await sessions.open_session(db, signing, actor))


def device(request: Request, actor: Actor) -> Cookie:
    """This browser is known from now on; it says so with each try to sign in."""
    return Cookie(
        known_devices.COOKIE,
        value=known_devices.sealed(request.app.state.key_ring, actor),
        max_age=known_devices.DAYS * 86400,
        httponly=True,
        samesite="lax",
        secure=has_tls(request),
    )


def theme(request: Request, name: str, value: str) -> Cookie:
    """Scripts read and set it too, so that a change shows at once."""
    return Cookie(name, value=value, max_age=_YEAR_SECONDS, samesite="lax", secure=has_tls(request))


def has_tls(request: Request) -> bool:
    """Whether the panel is reached over TLS: then no cookie of it goes without."""
    return request.app.state.settings.panel_url.startswith("https:")


def second_factor(request: Request, challenge: str) -> Cookie:
    """Half a sign-in, for the page that asks for the other half."""
    return Cookie(
        SECOND_FACTOR,
        value=challenge,
        path=SECOND_FACTOR_PATH,
        max_age=challenges.MINUTES * 60,
        httponly=True,
        samesite="lax",
        secure=has_tls(request),
    )
