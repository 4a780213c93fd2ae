"""Which providers there are, and which addresses they may have."""

import httpx2
import pytest
from litestar import Litestar
from tests.auth.providers.browsing import API, use
from tests.auth.providers.fake import Fake
from tests.auth.providers.issuers import SECRET, Issuer

from windlass.core.environment import InvalidSettings, load
from windlass.core.settings import Oidc

pytestmark = pytest.mark.anyio


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
