"""One Chromium and one gallery for the browser tests of a worker."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.running import until
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

    def open(self, path: str, *, is_still: bool = False) -> Page:
        """`is_still`: the page's clock stands, so what vanishes after a while stays."""
        if is_still:
            self.page.clock.install()
            self.page.clock.pause_at(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
        self.page.goto(self.gallery.url + path)
        return self.page

    def followed(self, path: str = "/api/events/stream") -> None:
        """Until the page hears what the server says: what was said before is lost."""
        until(lambda: self.gallery.followers(path), what=f"the page to follow {path}")

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
def visit(new_context: Callable[..., BrowserContext], gallery: Gallery) -> Iterator[Visit]:
    context = new_context()
    yield Visit(context, gallery)
    context.close()


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext], gallery: Gallery) -> Iterator[Visit]:
    context = new_context(**PHONE)
    yield Visit(context, gallery)
    context.close()
