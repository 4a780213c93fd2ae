"""Whose account an identity opens, and who may link or unlink one."""

import json

import httpx2
import pytest
from sqlalchemy import text
from tests import make
from tests.auth.providers.browsing import API, SIGN_IN, come, link, there, who
from tests.auth.providers.issuers import Issuer
from tests.conftest import RolledBack

pytestmark = pytest.mark.anyio


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
