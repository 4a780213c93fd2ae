"""Sign-in providers: OpenID Connect of any issuer, Google's, and GitHub's OAuth.

Authorization code with PKCE, state and nonce (RFC 9700). What comes back is either an identity
that was proven or an error; nothing here knows accounts.
"""

import datetime as dt
import time
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote_plus, urlsplit

import msgspec

from windlass.adapters import guarded
from windlass.adapters.guarded import Client, FetchFailed
from windlass.core import clock
from windlass.core.settings import GitHub, Providers

_REMEMBERED_SECONDS = 600
# What an id_token may be signed with: never `none`, never with the client's secret.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_LEEWAY_SECONDS = 60


class Refused(Exception):
    """What came back does not prove anything. The text says what is wrong with it."""


class Identity(msgspec.Struct, frozen=True):
    """Who somebody is at a provider. `subject` never changes, everything else may."""

    subject: str
    email: str | None = None
    is_verified: bool = False
    name: str | None = None


class Tokens(msgspec.Struct, frozen=True):
    """What lets us act for them there."""

    access: str
    refresh: str | None = None
    expires_at: dt.datetime | None = None
    scope: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What a sign-in began with, and must come back with."""

    redirect_uri: str
    nonce: str
    verifier: str


class Provider(Protocol):
    """One way to sign in with somebody else's account."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...

    async def address(self, asked: Asked, *, state: str) -> str:
        """Where the browser goes; raises FetchFailed."""
        ...

    async def identify(self, asked: Asked, *, code: str, issuer: str) -> tuple[Identity, Tokens]:
        """Trade the code that came back for an identity; raises Refused or FetchFailed."""
        ...


def configured(settings: Providers) -> dict[str, Provider]:
    """The providers that the settings name, in the order in which pages show them."""
    allow = guarded.policy(settings.allow_private, setting="WINDLASS_PROVIDERS__ALLOW_PRIVATE")
    client = Client(allow)
    found: list[Provider] = []
    if settings.github.client_id:
        found.append(GitHubProvider(settings.github, client))
    if settings.google.client_id:
        own = settings.google
        found.append(
            OidcProvider("google", "Google", own.issuer, (own.client_id, own.client_secret), client)
        )
    if settings.oidc.client_id:
        own = settings.oidc
        credentials = (own.client_id, own.client_secret)
        found.append(OidcProvider("oidc", own.label, own.issuer, credentials, client))
    return {provider.name: provider for provider in found}


class Metadata(msgspec.Struct, frozen=True):
    """What an issuer says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Answer(msgspec.Struct, frozen=True):
    """Of a token endpoint. GitHub sends its errors with status 200."""

    access_token: str = ""
    refresh_token: str | None = None
    expires_in: float | None = None
    scope: str = ""
    id_token: str = ""
    error: str = ""
    error_description: str = ""

    def tokens(self) -> Tokens:
        if self.error or not self.access_token:
            raise Refused(self.error_description or self.error or "there is no token in it")
        expires = self.expires_in
        until = clock.now() + dt.timedelta(seconds=expires) if expires is not None else None
        return Tokens(self.access_token, self.refresh_token, until, self.scope)


class _Claims(msgspec.Struct, frozen=True):
    """Some providers write booleans as text."""

    sub: str
    email: str | None = None
    email_verified: bool | str = False
    name: str | None = None
    preferred_username: str | None = None

    def identity(self) -> Identity:
        is_verified = self.email_verified is True or self.email_verified == "true"
        name = self.name or self.preferred_username
        return Identity(self.sub, self.email, bool(self.email) and is_verified, name)


# What issuers said, by their address, and until when it is believed.
_known: dict[str, tuple[Metadata, float]] = {}


class OidcProvider:
    """An issuer of OpenID Connect."""

    def __init__(
        self, name: str, label: str, issuer: str, credentials: tuple[str, str], client: Client
    ) -> None:
        self.name, self.label = name, label
        self._issuer = issuer
        self._client_id, self._secret = credentials
        self._client = client

    async def address(self, asked: Asked, *, state: str) -> str:
        found = await self._metadata()
        extra = {"scope": "openid email profile", "nonce": asked.nonce}
        return _address(found.authorization_endpoint, self._client_id, asked, state, extra)

    async def identify(self, asked: Asked, *, code: str, issuer: str) -> tuple[Identity, Tokens]:
        found = await self._metadata()
        # Another issuer's answer must not end up here (RFC 9207).
        if issuer != found.issuer and (
            issuer or found.authorization_response_iss_parameter_supported
        ):
            raise Refused("it comes from another issuer")
        answer = await self._trade(found, asked, code)
        tokens = answer.tokens()
        claims = await self._claims_of(found, answer, asked.nonce)
        if claims.email is None and found.userinfo_endpoint is not None:
            claims = await self._ask_more(found.userinfo_endpoint, tokens, claims)
        return claims.identity(), tokens

    async def _metadata(self) -> Metadata:
        known = _known.get(self._issuer)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        url = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await self._client.get(url, accept="application/json")
        found: Metadata = answer.json(Metadata)
        if found.issuer.rstrip("/") != self._issuer.rstrip("/"):
            raise FetchFailed(f"it calls itself {found.issuer}")
        _known[self._issuer] = (found, time.monotonic() + _REMEMBERED_SECONDS)
        return found

    async def _trade(self, found: Metadata, asked: Asked, code: str) -> _Answer:
        form = _trade_form(asked, code)
        headers = {"accept": "application/json"}
        if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            headers["authorization"] = _basic(self._client_id, self._secret)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        answer = await self._client.post(found.token_endpoint, form, **headers)
        return answer.json(_Answer)

    async def _claims_of(self, found: Metadata, answer: _Answer, nonce: str) -> _Claims:
        """The claims of an id_token that this issuer made for us, just now and for this sign-in."""
        # Imported late: only who signs in this way needs 15 MB of it.
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        published = (await self._client.get(found.jwks_uri)).json(_Keys)
        try:
            token = jwt.decode(answer.id_token, _usable(published), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "values": _names_of(found.issuer)},
                    "aud": {"essential": True, "value": self._client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": answer.access_token,
                },
            )
            claims.validate(now=int(clock.now().timestamp()), leeway=_LEEWAY_SECONDS)
            return msgspec.convert(dict(claims), _Claims)
        except (JoseError, ValueError, msgspec.MsgspecError) as error:
            raise Refused(f"its id_token is not valid ({error})") from None

    async def _ask_more(self, url: str, tokens: Tokens, claims: _Claims) -> _Claims:
        answer = await self._client.get(url, authorization=f"Bearer {tokens.access}")
        more: _Claims = answer.json(_Claims)
        if more.sub != claims.sub:
            raise Refused("it is about two different people")
        return more


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Person(msgspec.Struct, frozen=True):
    id: int
    login: str
    name: str | None = None


class _Address(msgspec.Struct, frozen=True):
    email: str
    primary: bool = False
    verified: bool = False


class GitHubProvider:
    """GitHub speaks OAuth, not OpenID Connect: who it is, its API says."""

    name, label = "github", "GitHub"

    def __init__(self, settings: GitHub, client: Client) -> None:
        self._settings = settings
        self._client = client

    async def address(self, asked: Asked, *, state: str) -> str:
        url = f"{self._settings.url.rstrip('/')}/login/oauth/authorize"
        extra = {"scope": self._settings.scopes}
        return _address(url, self._settings.client_id, asked, state, extra)

    async def identify(self, asked: Asked, *, code: str, issuer: str) -> tuple[Identity, Tokens]:
        own = self._settings
        form = _trade_form(asked, code)
        form |= {"client_id": own.client_id, "client_secret": own.client_secret}
        url = f"{own.url.rstrip('/')}/login/oauth/access_token"
        answer: _Answer = (await self._client.post(url, form, accept="application/json")).json(
            _Answer
        )
        tokens = answer.tokens()
        person: _Person = await self._ask("/user", tokens, _Person)
        # What the profile shows is what somebody typed; only this list says what is proven.
        addresses: list[_Address] = await self._ask("/user/emails", tokens, list[_Address])
        primary = next((found for found in addresses if found.primary), None)
        identity = Identity(
            subject=str(person.id),
            email=primary.email if primary else None,
            is_verified=primary is not None and primary.verified,
            name=person.name or person.login,
        )
        return identity, tokens

    async def _ask(self, path: str, tokens: Tokens, kind: Any) -> Any:
        answer = await self._client.get(
            self._settings.api_url.rstrip("/") + path,
            accept="application/vnd.github+json",
            authorization=f"Bearer {tokens.access}",
            user_agent="Windlass",
            X_GitHub_Api_Version="2022-11-28",
        )
        if answer.status != 200:
            raise Refused(f"{path} answered {answer.status}")
        return answer.json(kind)


def _address(endpoint: str, client_id: str, asked: Asked, state: str, extra: dict[str, str]) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    challenge = create_s256_code_challenge(asked.verifier)
    return prepare_grant_uri(
        endpoint,
        client_id,
        "code",
        redirect_uri=asked.redirect_uri,
        state=state,
        code_challenge=challenge,
        code_challenge_method="S256",
        **extra,
    )


def _trade_form(asked: Asked, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri,
        "code_verifier": asked.verifier,
    }


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749, 2.3.1: both are form-encoded before they are joined."""
    import base64

    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _usable(published: _Keys) -> Any:
    """Public keys for signatures. An issuer may publish others beside them, of kinds and curves
    that nobody here knows."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry, KeySet

    found: list[Any] = []
    for key in published.keys:
        if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP"):
            with suppress(JoseError, LookupError, ValueError, TypeError):
                found.append(JWKRegistry.import_key(key))
    return KeySet(found)


def _names_of(issuer: str) -> list[str]:
    """Google calls itself by its host alone in some tokens."""
    host = urlsplit(issuer).netloc
    return [issuer, host] if host == "accounts.google.com" else [issuer]
