"""Sign-in by OpenID Connect: the way there and back, and what must not come in by it."""

import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import msgspec
import pytest
from joserfc.jwk import RSAKey
from litestar import Litestar
from sqlalchemy import text
from tests.auth.providers.browsing import begin, come, there, who
from tests.auth.providers.fake import Fake
from tests.auth.providers.issuers import Issuer
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth import providers
from windlass.auth.models import Actor
from windlass.core.crypto import KeyRing
from windlass.core.settings import Auth

pytestmark = pytest.mark.anyio


async def test_an_identity_of_a_real_issuer_makes_an_account_and_opens_it_again(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack, key_ring: KeyRing
) -> None:
    """B-040, C-003, B-032."""
    oidc.person("ada-1", email="Ada@Example.com", email_verified=True, name="Ada Bell")

    first = await come(browser_, next="/deployments?status=error")
    assert first.status_code == 303, first.text
    assert first.headers["location"] == "/deployments?status=error"
    assert await who(browser_) == "ada@example.com"
    browser_.cookies.clear()
    # The address may change there; who it is does not.
    oidc.person("ada-1", email="other@example.com", email_verified=False)
    await come(browser_)

    assert await who(browser_) == "ada@example.com"
    async with database.transaction() as db:
        row = (await db.execute(text("select * from accounts"))).one()
        user = (await db.execute(text("select * from users where email like 'ada%'"))).one()
    assert (row.provider, row.provider_account_id) == ("oidc", "ada-1")
    assert user.email_verified_at is not None
    assert (user.name, user.password_hash) == ("Ada Bell", None)
    context = providers.token_context("access", "oidc", "ada-1")
    assert len(key_ring.open_sealed(row.access_token_sealed, context=context)) > 20


async def test_what_is_asked_for_has_state_nonce_and_pkce(
    browser_: httpx2.AsyncClient, oidc: Issuer
) -> None:
    query = {name: v[0] for name, v in parse_qs(urlsplit(await begin(browser_)).query).items()}

    assert query["response_type"] == "code"
    assert query["redirect_uri"] == f"{PANEL}/sign-in/with/oidc/callback"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 43
    assert len(query["nonce"]) >= 43
    assert set(query["scope"].split()) == {"openid", "email", "profile"}
    again = parse_qs(urlsplit(await begin(browser_)).query)
    assert all(again[name][0] != query[name] for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize("claims", [{"email_verified": False}, {}, {"email": None}])
async def test_an_address_that_the_provider_did_not_check_opens_and_makes_nothing(
    browser_: httpx2.AsyncClient, oidc: Issuer, claims: dict[str, Any]
) -> None:
    for email in ("owner@example.com", "nobody@example.com"):
        oidc.person(f"mallory-{email}", **({"email": email} | claims))
        answer = await come(browser_)
        assert answer.status_code == 403, answer.text
        assert "does not say that this e-mail address is yours" in answer.text
        assert await who(browser_) is None


@pytest.mark.parametrize(
    ("rule", "invited", "status"),
    [
        ("open", False, 303),
        ("invitation", False, 403),
        ("invitation", True, 303),
        ("closed", True, 403),
    ],
)
async def test_new_accounts_obey_the_rule_of_the_instance(
    browser_: httpx2.AsyncClient,
    oidc: Issuer,
    app: Litestar,
    database: RolledBack,
    owner: Actor,
    rule: Any,
    invited: bool,
    status: int,
) -> None:
    app.state.settings = msgspec.structs.replace(app.state.settings, auth=Auth(sign_up=rule))
    if invited:
        async with database.transaction() as db:
            await db.execute(
                text(
                    "insert into sign_up_invitations (id, email, digest, invited_by, expires_at)"
                    " values (gen_random_uuid(), 'new@example.com', 'x', :by, now() + '1 day')"
                ),
                {"by": owner.id},
            )
    oidc.person(f"new-{rule}-{invited}", email="new@example.com", email_verified=True)

    answer = await come(browser_)

    assert answer.status_code == status, answer.text
    assert (await who(browser_) is not None) == (status == 303)


async def test_with_a_second_factor_an_identity_is_only_half_of_a_sign_in(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack, owner: Actor
) -> None:
    async with database.transaction() as db:
        await db.execute(
            text(
                "insert into totps (id, user_id, secret_sealed, confirmed_at)"
                " values (gen_random_uuid(), :id, 'x', now())"
            ),
            {"id": owner.id},
        )
    oidc.person("half", email="owner@example.com", email_verified=True)

    answer = await come(browser_, next="/status")

    assert answer.headers["location"] == "/sign-in/second?next=/status"
    assert await who(browser_) is None


async def test_a_way_back_counts_once_and_only_in_the_browser_that_began_it(
    browser_: httpx2.AsyncClient, oidc: Issuer, app: Litestar
) -> None:
    oidc.person("ada", email="ada@example.com", email_verified=True)
    back = await there(await begin(browser_))
    async with client_of(app) as victim:
        planted = await victim.get(back)
        assert planted.status_code == 410
        assert await who(victim) is None
    # It is used up by that.
    assert (await browser_.get(back)).status_code == 410

    back = await there(await begin(browser_))
    assert (await browser_.get(back)).status_code == 303
    assert (await browser_.get(back)).status_code == 410


@pytest.mark.parametrize("state", [None, "", "x" * 43])
async def test_a_state_that_is_not_ours_is_refused(
    browser_: httpx2.AsyncClient, oidc: Issuer, state: str | None
) -> None:
    parts = urlsplit(await there(await begin(browser_)))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query |= {"state": state or ""}

    assert (await browser_.get(f"{parts.path}?{urlencode(query)}")).status_code == 410
    assert await who(browser_) is None


async def test_a_code_of_another_sign_in_is_worth_nothing_here(
    browser_: httpx2.AsyncClient, oidc: Issuer, app: Litestar
) -> None:
    """Code injection: the issuer compares the code with the verifier of who began (PKCE)."""
    oidc.person("victim", email="owner@example.com", email_verified=True)
    async with client_of(app) as victim:
        stolen = parse_qs(urlsplit(await there(await begin(victim))).query)["code"][0]
    parts = urlsplit(await there(await begin(browser_)))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}

    answer = await browser_.get(f"{parts.path}?{urlencode(query | {'code': stolen})}")

    assert answer.status_code == 401
    assert await who(browser_) is None


async def test_an_answer_that_names_another_issuer_is_refused(
    browser_: httpx2.AsyncClient, oidc: Issuer
) -> None:
    back = await there(await begin(browser_))
    assert "iss=" in back

    answer = await browser_.get(back.replace("iss=http", "iss=https"))

    assert answer.status_code == 401
    assert "another issuer" in answer.text


async def test_who_says_no_there_reads_so_here(browser_: httpx2.AsyncClient, oidc: Issuer) -> None:
    oidc.person("nobody", refuses=True)

    answer = await come(browser_)

    assert answer.status_code == 401
    assert "You did not agree." in answer.text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_a_sign_in_never_leads_to_another_site(
    browser_: httpx2.AsyncClient, oidc: Issuer, target: str
) -> None:
    oidc.person("ada", email="ada@example.com", email_verified=True)

    assert (await come(browser_, next=target)).headers["location"] == "/projects"


async def test_an_honest_id_token_is_accepted(browser_: httpx2.AsyncClient, liar: Fake) -> None:
    """The counterpart of what follows: only the lie makes the difference."""
    assert (await come(browser_)).status_code == 303
    assert await who(browser_) == "ada@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": ["windlass", "other"]},
        {"aud": ["windlass", "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"iat": 99_999_999_999},
    ],
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    browser_: httpx2.AsyncClient, liar: Fake, claims: dict[str, Any]
) -> None:
    liar.claims = claims

    answer = await come(browser_)

    assert answer.status_code == 401, answer.text
    assert "id_token" in answer.text
    assert await who(browser_) is None


def _part(fields: dict[str, object]) -> str:
    return _base64(json.dumps(fields).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


async def test_an_id_token_with_another_signature_is_refused(
    browser_: httpx2.AsyncClient, liar: Fake
) -> None:
    liar.sign_with = RSAKey.generate_key(2048, {"kid": "one"})
    other_key = await come(browser_)
    # HS256 with the public key, which everybody has, as the secret.
    claims: dict[str, object] = {
        "iss": liar.url,
        "aud": "windlass",
        "sub": "7",
        "email": "owner@example.com",
    }
    claims |= {"email_verified": True}
    text = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    public = liar.key.as_pem(private=False)
    liar.id_token = f"{text}.{_base64(hmac.digest(public, text.encode(), 'sha256'))}"
    confused = await come(browser_)
    liar.id_token = f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."
    unsigned = await come(browser_)
    liar.id_token = "nonsense"
    nonsense = await come(browser_)

    statuses = [a.status_code for a in (other_key, confused, unsigned, nonsense)]
    assert statuses == [401, 401, 401, 401]
    assert await who(browser_) is None
