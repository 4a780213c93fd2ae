"""The one door: whoever proved who they are comes in here, however they proved it."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import cookies, factors, sessions
from windlass.auth.challenges import Challenges
from windlass.auth.factor_schemas import SecondFactorOut
from windlass.auth.models import Actor, ChallengeKind
from windlass.auth.schemas import SignedInOut
from windlass.core.http import Envelope, Request
from windlass.web.posts import see


class Entered(msgspec.Struct, frozen=True):
    """Somebody is in. Browsers get the token as a cookie that scripts cannot read; programs that
    asked for it get it in the answer and send it back as a Bearer token (D-31)."""

    actor: Actor
    token: str
    cookie: Cookie
    device: Cookie


class Halfway(msgspec.Struct, frozen=True):
    """The first proof was right, and the account asks for a second. `challenge` brings it back;
    browsers keep it in a cookie."""

    challenge: str
    methods: list[str]
    cookie: Cookie


async def enter(request: Request, system_db: AsyncSession, actor: Actor) -> Entered | Halfway:
    """Open a session for somebody who gave the right password, or opened the right link; where
    the account has a second factor, ask for that first."""
    found = await factors.of(system_db, actor.id)
    if not found.is_on:
        return await open_door(request, system_db, actor)
    challenge = await challenges_of(request).begin(
        system_db, ChallengeKind.second_factor, user_id=actor.id
    )
    return Halfway(challenge, found.methods, cookies.second_factor(request, challenge))


async def open_door(request: Request, system_db: AsyncSession, actor: Actor) -> Entered:
    """Open a session for somebody who proved enough: both factors, or a passkey, which is both."""
    token = await sessions.open_session(system_db, request.app.state.identities.signing, actor)
    return Entered(actor, token, cookies.session(request, token), cookies.device(request, actor))


def challenges_of(request: Request) -> Challenges:
    parts = request.app.state
    return Challenges(parts.system, parts.key_ring)


def answer(entered: Entered | Halfway, *, as_token: bool, status: int = 200) -> Response[Any]:
    """The API's answer: the person, and either a cookie or the token itself; or, with status 202,
    how to go on."""
    if isinstance(entered, Halfway):
        return Envelope(SecondFactorOut.of(entered.challenge, entered.methods), status_code=202)
    body = SignedInOut.of_actor(entered.actor, entered.token if as_token else None)
    carried = None if as_token else [entered.cookie, entered.device]
    return Envelope(body, status_code=status, cookies=carried)


def go_on(entered: Entered | Halfway, target: str, notice: str | None = None) -> Redirect:
    """A page's answer: to where they were going, or to the page that asks for the second factor."""
    if isinstance(entered, Halfway):
        found = see(f"/sign-in/second?next={quote(target)}")
    else:
        found = see(target, notice)
        found.set_cookie(entered.device)
    found.set_cookie(entered.cookie)
    return found
