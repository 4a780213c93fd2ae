"""Every page in a real browser: accessible, still, quiet, for keyboard and finger."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.web import gallery
from tests.web.conftest import PHONE, PROBES, Visit
from tests.web.server import AXE, Gallery

PATHS = list(gallery.PAGES)
# The pages with the richest parts are looked at in every width and both themes.
RICH = {
    "/projects",
    "/projects/harbour-shop",
    "/projects/new-plan-server",
    "/charts-shop",
    "/account-new-token",
    "/account/factors",
    "/status",
    *(path for path in PATHS if path.startswith("/deployments/")),
}


class Window(Visit):
    """One for all pages: what they share is loaded and compiled once, as for a visitor. It becomes
    a phone and a desk again with the page in it, as in the tools for developers."""

    def __init__(self, context: BrowserContext, gallery: Gallery) -> None:
        super().__init__(context, gallery)
        self._devtools = context.new_cdp_session(self.page)

    def desk(self, width: int = 1280) -> None:
        self._become(width, 800, is_phone=False)

    def phone(self) -> None:
        self._become(PHONE["viewport"]["width"], PHONE["viewport"]["height"], is_phone=True)

    def _become(self, width: int, height: int, *, is_phone: bool) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
        self._devtools.send("Emulation.setDeviceMetricsOverride", metrics)
        self._devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})


@pytest.fixture(scope="module")
def window(new_context: Callable[..., BrowserContext]) -> Iterator[Window]:
    served = Gallery()
    context = new_context(viewport=None, no_viewport=True)
    yield Window(context, served)
    context.close()
    served.close()


@pytest.fixture
def visit(window: Window) -> Window:
    window.forget()
    window.desk()
    window.page.emulate_media(color_scheme="light")
    return window


def violations(page: Page) -> list[str]:
    return page.evaluate("probes.axe()")


def faint(page: Page) -> list[str]:
    """What cannot be read: all that another theme of the same page may break."""
    return page.evaluate("probes.contrast()")


def settled(page: Page, *scripts: str) -> None:
    page.wait_for_load_state("load")
    page.evaluate(PROBES.read_text())
    for script in scripts:
        page.add_script_tag(url=script)
    log = page.locator("[data-log]")
    if log.count():
        page.wait_for_selector(".log-window .line")


def moved(visit: Window, path: str) -> float:
    """How much moved while the page came. A machine with more to do than it can may paint a page
    in two pieces: what moves because of the page moves the next time, too."""
    found: float = visit.page.evaluate("probes.shift()")
    for _ in range(4):
        if found < 0.005:
            break
        settled(visit.open(path), AXE)
        found = visit.page.evaluate("probes.shift()")
    return found


def keep_picture(page: Page, name: str) -> None:
    """WINDLASS_SCREENSHOTS=folder keeps what the tests saw, to look at."""
    if folder := os.environ.get("WINDLASS_SCREENSHOTS"):
        page.screenshot(
            path=Path(folder) / f"{name.strip('/').replace('/', '_')}.png", full_page=True
        )


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_quiet_and_still_on_a_desk_and_a_phone(
    visit: Window, path: str
) -> None:
    page = visit.open(path)
    settled(page, AXE)
    for width in (1280, 768) if path in RICH else (1280,):
        visit.desk(width)
        page.emulate_media(color_scheme="light")
        keep_picture(page, f"{path}-{width}-light")
        assert violations(page) == [], width
        assert page.evaluate("probes.fits()"), width
        assert page.evaluate("probes.squeezed()") == [], width
        if width == 1280:
            assert moved(visit, path) < 0.005
        if path in RICH:
            page.emulate_media(color_scheme="dark")
            keep_picture(page, f"{path}-{width}-dark")
            assert faint(page) == [], width

    visit.phone()
    page.emulate_media(color_scheme="dark")
    keep_picture(page, f"{path}-360-dark")
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate("probes.fits()")
    assert page.evaluate("probes.small()") == []
    assert violations(page) == []
    if path in RICH:
        page.emulate_media(color_scheme="light")
        assert faint(page) == []
    assert visit.complaints == []
    assert visit.strangers == []


@pytest.mark.parametrize("path", sorted(RICH | {"/sign-in", "/setup", "/projects/new"}))
def test_the_keyboard_reaches_everything_and_the_focus_is_seen(visit: Window, path: str) -> None:
    page = visit.open(path)
    settled(page)
    page.evaluate("document.activeElement.blur()")
    page.evaluate("probes.follow()")
    expected = page.evaluate("probes.focusable()")

    for _ in range(expected + 10):
        page.keyboard.press("Tab")

    assert page.evaluate("probes.unseen") == []
    assert page.evaluate("probes.reached.size") >= expected
