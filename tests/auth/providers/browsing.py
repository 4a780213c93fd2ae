"""The way to a provider and back, as a browser goes it."""

from typing import Any

import httpx2
import msgspec
from litestar import Litestar
from tests import make
from tests.conftest import PANEL
from tests.running import CERTIFICATES, PATIENCE_SECONDS

from windlass.core.settings import Providers

SIGN_IN = {"email": "owner@example.com", "password": make.PASSWORD}
API = "/api/auth"


def use(app: Litestar, host: str, **found: Any) -> None:
    given = Providers(allow_private=host, **found)
    app.state.settings = msgspec.structs.replace(app.state.settings, providers=given)


async def there(address: str) -> str:
    """What the provider answers the browser with in the end: the address of the way back."""
    async with httpx2.AsyncClient(verify=CERTIFICATES, timeout=PATIENCE_SECONDS) as outside:
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
