"""The way to a sign-in provider and back; linked identities as JSON."""

import datetime as dt
import secrets
from urllib.parse import quote

import msgspec
from litestar import delete, get
from litestar.datastructures import Cookie
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters import identity
from windlass.adapters.guarded import FetchFailed
from windlass.adapters.identity import Provider, Refused
from windlass.auth import challenges, cookies, entering, providers, proving
from windlass.auth.deps import CurrentActor
from windlass.auth.entering import challenges_of
from windlass.auth.factor_errors import (
    ChallengeOver,
    IdentityRefused,
    NoSuchProvider,
    ProviderFailed,
)
from windlass.auth.models import Account, Actor, ChallengeKind
from windlass.auth.permissions import Permission
from windlass.auth.providers import Arrival, Begun
from windlass.core import ids
from windlass.core.errors import AppError, CrossSite
from windlass.core.http import DB, Request
from windlass.core.languages import gettext
from windlass.core.schemas import Out, Page
from windlass.web.page import local_path, page
from windlass.web.posts import Answer, see

COOKIE = "windlass_provider"
_PATH = "/sign-in/with"
_LINKED = "/account/factors"


class ProviderOut(Out):
    """A way to sign in; `href` is where a browser begins."""

    name: str
    label: str
    href: str


class LinkedAccountOut(Out):
    """An identity that opens one's account. Its tokens are never shown."""

    id: str
    provider: str
    label: str
    email: str | None
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Account, labels: dict[str, str]) -> "LinkedAccountOut":
        return cls(
            id=ids.public("acct", row.id),
            provider=row.provider,
            label=labels.get(row.provider, row.provider),
            email=row.email,
            created_at=row.created_at,
        )


def ways(request: Request) -> list[ProviderOut]:
    """What the settings allow to sign in with."""
    return [
        ProviderOut(name=found.name, label=found.label, href=f"{_PATH}/{found.name}")
        for found in _configured(request).values()
    ]


@get("/api/auth/providers", public=True)
async def list_providers(request: Request) -> list[ProviderOut]:
    """The sign-in providers of this Windlass."""
    return ways(request)


@get("/api/auth/accounts", permission=Permission.account)
async def list_accounts(request: Request, db: DB, actor: CurrentActor) -> Page[LinkedAccountOut]:
    """The identities that open one's account."""
    return Page(await accounts_of(request, db, actor))


async def accounts_of(request: Request, db: AsyncSession, actor: Actor) -> list[LinkedAccountOut]:
    labels = {name: found.label for name, found in _configured(request).items()}
    return [LinkedAccountOut.of(row, labels) for row in await providers.of(db, actor)]


@delete("/api/auth/accounts/{account_id:str}", permission=Permission.account)
async def unlink_account(db: DB, actor: CurrentActor, account_id: FromPath[str]) -> None:
    """Unlink an identity; needs a session of the last ten minutes, and another way in."""
    await proving.require(db, actor, None)
    await providers.unlink(db, ids.private("acct", account_id), by=actor)


@get(_PATH + "/{provider:str}", public=True, rate="page", include_in_schema=False)
async def begin_sign_in(request: Request, provider: FromPath[str]) -> Answer:
    """To the provider. A link, not a form: forms may lead to this panel only."""
    target = local_path(request.query_params.get("next"))
    try:
        return await _leave(request, provider, target)
    except AppError as error:
        return _failed(request, error)


@get("/account/link/{provider:str}", permission=Permission.account, include_in_schema=False)
async def begin_link(
    request: Request, db: DB, actor: CurrentActor, provider: FromPath[str]
) -> Answer:
    """The same for who is signed in; only a page of ours may begin it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSite()
    if not await proving.is_fresh(db, actor):
        return see(f"/account/prove?next={_LINKED}")
    await db.rollback()
    try:
        return await _leave(request, provider, _LINKED, link_to=actor)
    except AppError as error:
        return _failed(request, error)


@get(_PATH + "/{provider:str}/callback", public=True, rate="sign_in", include_in_schema=False)
async def come_back(request: Request, provider: FromPath[str]) -> Answer:
    """From the provider. Every way to come back wrongly ends in a page that says so."""
    try:
        begun = await _begun(request, provider)
        arrival = await _arrival(request, begun)
        answer = await _let_in(request, begun, arrival)
    except AppError as error:
        answer = _failed(request, error)
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer


async def _leave(
    request: Request, name: str, target: str, *, link_to: Actor | None = None
) -> Answer:
    provider = _provider(request, name)
    begun = providers.begin(provider, target, link_to=link_to.id if link_to else None)
    async with request.app.state.system.transaction() as db:
        state = await challenges_of(request).begin(
            db,
            ChallengeKind.provider,
            user_id=begun.link_to,
            payload=msgspec.json.encode(begun),
        )
    # No transaction is open while somebody else is asked.
    try:
        url = await provider.address(begun.asked(_redirect_uri(request, name)), state=state)
    except FetchFailed as error:
        raise ProviderFailed(label=provider.label, why=str(error)) from error
    answer = see(url)
    answer.set_cookie(_browser_cookie(request, begun.browser))
    return answer


async def _begun(request: Request, name: str) -> Begun:
    """What this browser began; used up whatever comes."""
    state = request.query_params.get("state", "")
    found = await challenges_of(request).take(ChallengeKind.provider, state)
    begun = msgspec.json.decode(found.payload, type=Begun)
    browser = request.cookies.get(COOKIE, "")
    if begun.provider != name or not secrets.compare_digest(
        browser.encode(), begun.browser.encode()
    ):
        raise ChallengeOver()
    return begun


async def _arrival(request: Request, begun: Begun) -> Arrival:
    provider = _provider(request, begun.provider)
    asked = request.query_params
    if "error" in asked or not asked.get("code"):
        denied = asked.get("error") == "access_denied"
        why = gettext("You did not agree.") if denied else gettext("There is no code.")
        raise IdentityRefused(label=provider.label, why=why)
    try:
        identity, tokens = await provider.identify(
            begun.asked(_redirect_uri(request, begun.provider)),
            code=asked["code"],
            issuer=asked.get("iss", ""),
        )
    except Refused as error:
        raise IdentityRefused(label=provider.label, why=f"{error}.") from error
    except FetchFailed as error:
        raise ProviderFailed(label=provider.label, why=str(error)) from error
    return Arrival(begun.provider, provider.label, identity, tokens)


async def _let_in(request: Request, begun: Begun, arrival: Arrival) -> Answer:
    parts = request.app.state
    async with parts.system.transaction() as db:
        if begun.link_to is None:
            rules = parts.settings.auth
            actor = await providers.arrive(db, parts.key_ring, rules, arrival)
            return entering.go_on(await entering.enter(request, db, actor), begun.target)
        signed_in: Actor | None = request.scope["state"].get("actor")
        if signed_in is None or signed_in.id != begun.link_to:
            raise ChallengeOver()
        await providers.link(db, parts.key_ring, arrival, user_id=begun.link_to)
    return see(begun.target, "linked")


def _failed(request: Request, error: AppError) -> Answer:
    """Not the page of the sign-in: whoever links an account is signed in already."""
    actor: Actor | None = request.scope["state"].get("actor")
    return page(
        request,
        "auth/way_failed.html",
        http_status=error.status,
        message=error.message,
        back=_LINKED if actor is not None else "/sign-in",
    )


def _configured(request: Request) -> dict[str, Provider]:
    return identity.configured(request.app.state.settings.providers)


def _provider(request: Request, name: str) -> Provider:
    found = _configured(request).get(name)
    if found is None:
        raise NoSuchProvider()
    return found


def _redirect_uri(request: Request, name: str) -> str:
    return f"{request.app.state.settings.panel_url}{_PATH}/{quote(name)}/callback"


def _browser_cookie(request: Request, value: str) -> Cookie:
    return Cookie(
        COOKIE,
        value=value,
        path=_PATH,
        max_age=challenges.MINUTES * 60,
        httponly=True,
        samesite="lax",
        secure=cookies.has_tls(request),
    )


ROUTES = [
    list_providers,
    list_accounts,
    unlink_account,
    begin_sign_in,
    begin_link,
    come_back,
]
