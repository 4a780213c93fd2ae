"""One Chromium and one gallery for the browser tests of a worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.server import Gallery
from windlass.web import assets_build


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    assets_build.build(development=True)


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    served = Gallery()
    yield served
    served.close()


PROBES = Path(__file__).parent / "probes.js"
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
}


class Visit:
    """A page that remembers what it asked for and what it complained about."""

    def __init__(self, context: BrowserContext, gallery: Gallery) -> None:
        self.page: Page = context.new_page()
        self.gallery = gallery
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.gallery.url + path)
        return self.page

    def forget(self) -> None:
        """What was heard so far was heard from another page."""
        self.complaints.clear()
        self.requests.clear()

    @property
    def strangers(self) -> list[str]:
        """Requests that left this host."""
        known = (self.gallery.url, "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(known)]


@pytest.fixture
def visit(browser: Browser, gallery: Gallery) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield Visit(context, gallery)
    context.close()


@pytest.fixture
def phone(browser: Browser, gallery: Gallery) -> Iterator[Visit]:
    context = browser.new_context(**PHONE)
    context.set_default_timeout(10_000)
    yield Visit(context, gallery)
    context.close()
