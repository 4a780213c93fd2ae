"""GitHub speaks OAuth: who it is, its API says."""

import httpx2
import pytest
from tests.auth.providers.browsing import API, come, who
from tests.auth.providers.fake import Fake

pytestmark = pytest.mark.anyio


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
