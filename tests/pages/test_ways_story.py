"""Passkeys and codes in a real browser with an authenticator, against a real Windlass."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pyotp.totp import TOTP

from tests.running import Instance

EMAIL, PASSWORD = "ada@example.com", "Correct horse battery 1"
_INTERNAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = Instance(tmp_path_factory.mktemp("ways"))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> Iterator[BrowserContext]:
    found = new_context()
    yield found
    found.close()


class Device:
    """The fingerprint reader of the computer that the browser runs on."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": _INTERNAL})
        self._id = made["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        asked = {"authenticatorId": self._id}
        return self._session.send("WebAuthn.getCredentials", asked)["credentials"]

    def recognises(self, is_verified: bool) -> None:
        asked = {"authenticatorId": self._id, "isUserVerified": is_verified}
        self._session.send("WebAuthn.setUserVerified", asked)


def test_a_passkey_and_an_app_from_the_first_day_to_the_next_sign_in(
    own: Instance, context: BrowserContext, tmp_path: Path
) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    device = Device(page)
    become_the_owner(page, own)

    add_a_passkey(page, own, device)
    sign_out(page)
    sign_in_with_the_passkey(page, own, device)
    app, codes = set_up_the_app(page, own, tmp_path)
    ask_for_the_passkey_after_the_password(page, own)
    sign_out(page)
    sign_in_with_password_and(page, own)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/projects")
    sign_out(page)
    sign_in_with_password_and(page, own)
    page.fill('[name="code"]', codes[0])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/projects")

    assert app
    assert complaints == []


def become_the_owner(page: Page, own: Instance) -> None:
    token = (own.home / "keys" / "setup.token").read_text()
    page.goto(f"{own.url}/setup?token={token}")
    page.fill('[name="email"]', EMAIL)
    page.fill('[name="password"]', PASSWORD)
    page.fill('[name="password_again"]', PASSWORD)
    page.get_by_role("button", name="Become the owner").click()
    page.wait_for_url("**/projects")


def add_a_passkey(page: Page, own: Instance, device: Device) -> None:
    page.goto(f"{own.url}/account/factors")
    device.recognises(False)
    page.fill('[name="passkey_name"]', "laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("No passkey was made. Try again.")).to_be_visible()
    device.recognises(True)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys .rows")).to_contain_text("laptop")
    [credential] = device.credentials
    assert credential["rpId"] == "localhost"


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))


def sign_in_with_the_passkey(page: Page, own: Instance, device: Device) -> None:
    page.goto(f"{own.url}/sign-in?next=/account/factors")
    device.recognises(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    device.recognises(True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/account/factors")
    expect(page.locator("#passkeys .rows")).to_contain_text("last used")


def set_up_the_app(page: Page, own: Instance, folder: Path) -> tuple[TOTP, list[str]]:
    page.get_by_role("button", name="Set up an authenticator app").click()
    page.wait_for_url("**/account/factors/totp")
    picture = page.locator(".qr img")
    assert picture.evaluate("found => found.naturalWidth") > 100
    app = TOTP(page.locator(".secret code").inner_text())
    page.fill('[name="code"]', app.now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(folder / "codes.txt")
    assert download.value.suggested_filename == "windlass-recovery-codes.txt"
    assert (folder / "codes.txt").read_text().split() == codes
    page.get_by_role("link", name="I kept them").click()
    expect(page.locator("#totp")).to_contain_text("a code of your app is asked for")
    return app, codes


def ask_for_the_passkey_after_the_password(page: Page, own: Instance) -> None:
    page.locator("#passkeys summary").click()
    page.get_by_role("button", name="Ask for it after a password").click()
    expect(page.locator("#passkeys .tag")).to_have_text("After a password")


def sign_in_with_password_and(page: Page, own: Instance) -> None:
    page.goto(f"{own.url}/sign-in")
    page.fill('[name="login"]', EMAIL)
    page.fill('[name="password"]', PASSWORD)
    page.get_by_role("button", name=re.compile("^Sign in$")).click()
    page.wait_for_url(re.compile("/sign-in/second"))
