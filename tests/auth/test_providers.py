"""Sign-in with somebody else's account: the way there and back, and what must not come in by it."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import msgspec
import pytest
from joserfc.jwk import RSAKey
from litestar import Litestar
from sqlalchemy import text
from tests import make
from tests.auth.issuers import SECRET, Fake, Issuer, certified
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth import providers
from windlass.auth.models import Actor
from windlass.core import clock
from windlass.core.crypto import KeyRing
from windlass.core.settings import (
    Auth,
    GitHub,
    InvalidSettings,
    Limits,
    Oidc,
    Providers,
    Settings,
    load,
)

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
SIGN_IN = {"email": "owner@example.com", "password": make.PASSWORD}
API = "/api/auth"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with certified(f"{PANEL}/sign-in/with/oidc/callback") as found:
        yield found


@pytest.fixture
def fake() -> Iterator[Fake]:
    found = Fake()
    yield found
    found.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    many = Limits(sign_in="1000/60", second_factor="1000/60", write="1000/60", anonymous="1000/60")
    return msgspec.structs.replace(settings, limits=many, url=PANEL, auth=Auth(sign_up="open"))


def use(app: Litestar, host: str, **found: Any) -> None:
    given = Providers(allow_private=host, **found)
    app.state.settings = msgspec.structs.replace(app.state.settings, providers=given)


@pytest.fixture
def oidc(app: Litestar, issuer: Issuer) -> Issuer:
    """The certified issuer, set up."""
    own = Oidc(issuer=issuer.url, client_id="windlass", client_secret=SECRET, label="Harbour")
    use(app, issuer.host, oidc=own)
    return issuer


@pytest.fixture
def liar(app: Litestar, fake: Fake) -> Fake:
    """An issuer that says whatever a test wants."""
    use(app, fake.host, oidc=Oidc(issuer=fake.url, client_id="windlass", client_secret="s"))
    return fake


@pytest.fixture
def github(app: Litestar, fake: Fake) -> Fake:
    own = GitHub(client_id="Iv1", client_secret="gh-secret", url=fake.url, api_url=fake.url)
    use(app, fake.host, github=own)
    fake.addresses = [
        {"email": "old@example.com", "primary": False, "verified": True},
        {"email": "Ada@Example.com", "primary": True, "verified": True},
    ]
    return fake


@pytest.fixture
async def owner(database: RolledBack) -> Actor:
    return await make.user(database, email="owner@example.com", email_verified_at=clock.now())


@pytest.fixture
async def browser_(app: Litestar, owner: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app) as found:
        found.headers.update(HERE)
        yield found


async def there(address: str) -> str:
    """What the provider answers the browser with in the end: the address of the way back."""
    async with httpx2.AsyncClient() as outside:
        for _ in range(10):
            answer = await outside.get(address)
            assert answer.status_code in {302, 303}, answer.text
            address = str(answer.next_request.url if answer.next_request else "")
            if address.startswith(PANEL):
                return address
    raise AssertionError("it never came back")


async def begin(browser: httpx2.AsyncClient, provider: str = "oidc", **query: str) -> str:
    answer = await browser.get(f"/sign-in/with/{provider}", params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def come(
    browser: httpx2.AsyncClient, provider: str = "oidc", **query: str
) -> httpx2.Response:
    back = await there(await begin(browser, provider, **query))
    return await browser.get(back)


async def link(browser: httpx2.AsyncClient, provider: str = "oidc") -> httpx2.Response:
    answer = await browser.get(f"/account/link/{provider}")
    assert answer.status_code == 303, answer.text
    return await browser.get(await there(answer.headers["location"]))


async def who(browser: httpx2.AsyncClient) -> str | None:
    answer = await browser.get(f"{API}/me")
    return answer.json()["data"]["email"] if answer.status_code == 200 else None


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


async def test_the_providers_are_listed_and_their_secrets_are_not(
    browser_: httpx2.AsyncClient, oidc: Issuer, app: Litestar
) -> None:
    listed = await browser_.get(f"{API}/providers")
    signing_in = await browser_.get("/sign-in?next=/status")

    assert listed.json()["data"] == [
        {"name": "oidc", "label": "Harbour", "href": "/sign-in/with/oidc"}
    ]
    assert 'href="/sign-in/with/oidc?next=/status"' in signing_in.text
    assert SECRET not in listed.text + signing_in.text + repr(app.state.settings)


async def test_an_address_that_both_sides_proved_links_by_itself(
    browser_: httpx2.AsyncClient, oidc: Issuer
) -> None:
    """C-041."""
    oidc.person("owner-there", email="owner@example.com", email_verified=True)

    assert (await come(browser_)).status_code == 303

    assert await who(browser_) == "owner@example.com"
    linked = (await browser_.get(f"{API}/accounts")).json()["data"]
    assert [(row["provider"], row["email"]) for row in linked] == [("oidc", "owner@example.com")]
    assert "token" not in json.dumps(linked).lower()


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


async def test_an_address_that_was_not_proven_here_is_not_linked(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack
) -> None:
    """Somebody may have signed up with it to wait for its owner."""
    await make.user(database, email="victim@example.com", is_admin=False)
    oidc.person("victim", email="victim@example.com", email_verified=True)

    answer = await come(browser_)

    assert answer.status_code == 409
    assert "Sign in to it first" in answer.text
    assert await who(browser_) is None


async def test_who_is_signed_in_links_whatever_address(
    browser_: httpx2.AsyncClient, oidc: Issuer
) -> None:
    await browser_.post(f"{API}/sign-in", json=SIGN_IN)
    oidc.person("private-me", email="private@example.com", email_verified=False)

    answer = await link(browser_)
    assert answer.headers["location"] == "/account/factors?notice=linked"
    browser_.cookies.clear()
    await come(browser_)

    assert await who(browser_) == "owner@example.com"


async def test_linking_needs_a_fresh_sign_in_and_a_page_of_ours(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack
) -> None:
    await browser_.post(f"{API}/sign-in", json=SIGN_IN)
    crossed = await browser_.get("/account/link/oidc", headers={"sec-fetch-site": "cross-site"})
    async with database.transaction() as db:
        await db.execute(text("update sessions set created_at = now() - interval '11 minutes'"))
    stale = await browser_.get("/account/link/oidc")

    assert crossed.status_code == 403
    assert stale.headers["location"].startswith("/account/prove?next=")


async def test_an_identity_opens_one_account_only(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack
) -> None:
    oidc.person("shared", email="owner@example.com", email_verified=True)
    await come(browser_)
    await make.user(database, email="mallory@example.com", is_admin=False)
    browser_.cookies.clear()
    await browser_.post(f"{API}/sign-in", json=SIGN_IN | {"email": "mallory@example.com"})

    answer = await link(browser_)

    assert answer.status_code == 409
    assert (await browser_.get(f"{API}/accounts")).json()["data"] == []


async def test_a_way_back_that_was_begun_by_somebody_else_links_nothing(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack
) -> None:
    await browser_.post(f"{API}/sign-in", json=SIGN_IN)
    oidc.person("mine", email="mine@example.com", email_verified=True)
    back = await there((await browser_.get("/account/link/oidc")).headers["location"])
    await make.user(database, email="mallory@example.com", is_admin=False)
    del browser_.cookies["windlass_session"]
    await browser_.post(f"{API}/sign-in", json=SIGN_IN | {"email": "mallory@example.com"})

    assert (await browser_.get(back)).status_code == 410


async def test_the_last_way_in_cannot_be_unlinked(
    browser_: httpx2.AsyncClient, oidc: Issuer, database: RolledBack
) -> None:
    """C-041."""
    oidc.person("only", email="only@example.com", email_verified=True)
    await come(browser_)
    id = (await browser_.get(f"{API}/accounts")).json()["data"][0]["id"]

    last = await browser_.delete(f"{API}/accounts/{id}")
    oidc.person("second", email="second@example.com", email_verified=True)
    await link(browser_)
    one_of_two = await browser_.delete(f"{API}/accounts/{id}")

    assert last.status_code == 409
    assert last.json()["error"]["details"]["reason"] == "LAST_WAY_IN"
    assert one_of_two.status_code == 204
    async with database.transaction() as db:
        names = set(await db.scalars(text("select name from events")))
    assert {"auth.IdentityLinked", "auth.IdentityUnlinked"} <= names


async def test_somebody_elses_identity_cannot_be_unlinked(
    browser_: httpx2.AsyncClient, stranger: httpx2.AsyncClient, oidc: Issuer
) -> None:
    oidc.person("own", email="owner@example.com", email_verified=True)
    await come(browser_)
    id = (await browser_.get(f"{API}/accounts")).json()["data"][0]["id"]

    assert (await stranger.get(f"{API}/accounts")).json()["data"] == []
    assert (await stranger.delete(f"{API}/accounts/{id}")).status_code in {403, 404}


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


# -- attacks --


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
    claims = {"iss": liar.url, "aud": "windlass", "sub": "7", "email": "owner@example.com"}
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


# -- GitHub --


async def test_github_says_who_it_is_by_its_own_addresses(
    browser_: httpx2.AsyncClient, github: Fake
) -> None:
    answer = await come(browser_, "github")

    assert answer.status_code == 303, answer.text
    assert await who(browser_) == "ada@example.com"
    asked = {path: (given, headers) for path, given, headers in github.asked}
    query, form = asked["/login/oauth/authorize"][0], asked["/login/oauth/access_token"][0]
    assert query["scope"] == "read:user user:email"
    assert query["code_challenge_method"] == "S256"
    assert (form["client_id"], form["client_secret"]) == ("Iv1", "gh-secret")
    assert len(form["code_verifier"]) >= 43
    headers = {name.lower(): value for name, value in asked["/user/emails"][1].items()}
    assert headers["authorization"] == "Bearer gho_token"
    assert headers["user-agent"] == "Windlass"
    linked = (await browser_.get(f"{API}/accounts")).json()["data"]
    assert (linked[0]["provider"], linked[0]["label"]) == ("github", "GitHub")


async def test_an_unconfirmed_first_address_at_github_opens_nothing(
    browser_: httpx2.AsyncClient, github: Fake
) -> None:
    github.addresses = [
        {"email": "owner@example.com", "primary": True, "verified": False},
        {"email": "mine@example.com", "primary": False, "verified": True},
    ]

    assert (await come(browser_, "github")).status_code == 403
    assert await who(browser_) is None


async def test_an_error_that_github_sends_with_status_200_is_one(
    browser_: httpx2.AsyncClient, github: Fake
) -> None:
    github.answer = {"error": "bad_verification_code", "error_description": "The code expired"}

    answer = await come(browser_, "github")

    assert answer.status_code == 401
    assert "The code expired" in answer.text


async def test_an_answer_that_is_too_large_is_not_read(
    browser_: httpx2.AsyncClient, github: Fake
) -> None:
    github.large = True

    answer = await come(browser_, "github")

    assert answer.status_code == 502
    assert "too large" in answer.text


# -- the addresses behind it --


async def test_a_provider_at_a_private_address_is_reached_only_where_a_setting_allows_it(
    browser_: httpx2.AsyncClient, app: Litestar, fake: Fake
) -> None:
    for allowed, said in (("", "is not https"), ("10.0.0.0/8", "is not https")):
        use(app, allowed, oidc=Oidc(issuer=fake.url, client_id="c", client_secret="s"))
        answer = await browser_.get("/sign-in/with/oidc")
        assert answer.status_code == 502
        assert said in answer.text
    use(app, "", oidc=Oidc(issuer="https://127.0.0.1:1", client_id="c", client_secret="s"))
    answer = await browser_.get("/sign-in/with/oidc")

    assert "a loopback address" in answer.text or "an address of this machine" in answer.text
    assert fake.asked == []


async def test_a_provider_that_is_not_set_up_is_unknown(browser_: httpx2.AsyncClient) -> None:
    assert (await browser_.get("/sign-in/with/github")).status_code == 404
    assert (await browser_.get("/sign-in/with/nonsense")).status_code == 404
    assert (await browser_.get(f"{API}/providers")).json()["data"] == []


async def test_a_provider_with_half_of_its_settings_stops_the_start() -> None:
    given = {"WINDLASS_PROVIDERS__GITHUB__CLIENT_ID": "x", "WINDLASS_PROVIDERS__OIDC__ISSUER": "x"}

    with pytest.raises(InvalidSettings) as raised:
        load(given)

    said = str(raised.value)
    assert "WINDLASS_PROVIDERS__GITHUB__CLIENT_SECRET: needed" in said
    assert "WINDLASS_PROVIDERS__OIDC__ISSUER: expected an address" in said
