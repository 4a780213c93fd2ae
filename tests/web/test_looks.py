"""Every page in a real browser: accessible, still, quiet, for keyboard and finger."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web import gallery
from tests.web.conftest import PHONE, Visit
from tests.web.server import Gallery
from windlass.web import assets_build

PROBES = Path(__file__).parent / "probes.js"
PATHS = list(gallery.PAGES)
# The pages with the richest parts are looked at in every width and both themes.
RICH = {
    "/projects",
    "/projects/harbour-shop",
    "/projects/new-plan-server",
    "/account-new-token",
    "/account/factors",
    "/status",
    *(path for path in PATHS if path.startswith("/deployments/")),
}


AXE = assets_build.SOURCES / "node_modules" / "axe-core" / "axe.min.js"


# One window for all pages: what they share is loaded and compiled once, as for a visitor.
@pytest.fixture(scope="module")
def served() -> Iterator[Gallery]:
    found = Gallery()
    yield found
    found.close()


@pytest.fixture(scope="module")
def desk_window(browser: Browser, served: Gallery) -> Iterator[Visit]:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    yield Visit(context, served)
    context.close()


@pytest.fixture(scope="module")
def phone_window(browser: Browser, served: Gallery) -> Iterator[Visit]:
    context = browser.new_context(**PHONE)
    context.set_default_timeout(10_000)
    yield Visit(context, served)
    context.close()


@pytest.fixture
def visit(desk_window: Visit) -> Visit:
    desk_window.forget()
    desk_window.page.set_viewport_size({"width": 1280, "height": 800})
    desk_window.page.emulate_media(color_scheme="light")
    return desk_window


@pytest.fixture
def phone(phone_window: Visit) -> Visit:
    phone_window.forget()
    phone_window.page.emulate_media(color_scheme="dark")
    return phone_window


def violations(page: Page) -> list[str]:
    return page.evaluate("probes.axe()")


def faint(page: Page) -> list[str]:
    """What cannot be read: all that another theme of the same page may break."""
    return page.evaluate("probes.contrast()")


def settled(page: Page) -> None:
    page.wait_for_load_state("load")
    page.evaluate(f"{AXE.read_text()};{PROBES.read_text()}")
    log = page.locator("[data-log]")
    if log.count():
        page.wait_for_selector(".log-window .line")


def keep_picture(page: Page, name: str) -> None:
    """WINDLASS_SCREENSHOTS=folder keeps what the tests saw, to look at."""
    if folder := os.environ.get("WINDLASS_SCREENSHOTS"):
        page.screenshot(
            path=Path(folder) / f"{name.strip('/').replace('/', '_')}.png", full_page=True
        )


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_quiet_and_still_on_a_desk(visit: Visit, path: str) -> None:
    page = visit.open(path)
    settled(page)

    assert page.evaluate("probes.shift()") < 0.005
    for width in (1280, 768) if path in RICH else (1280,):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light")
        keep_picture(page, f"{path}-{width}-light")
        assert violations(page) == [], width
        assert page.evaluate("probes.fits()"), width
        if path in RICH:
            page.emulate_media(color_scheme="dark")
            keep_picture(page, f"{path}-{width}-dark")
            assert faint(page) == [], width
    assert visit.complaints == []
    assert visit.strangers == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_a_phone_and_its_controls_fit_a_finger(phone: Visit, path: str) -> None:
    page = phone.open(path)
    settled(page)
    keep_picture(page, f"{path}-360-dark")

    assert page.evaluate("probes.fits()")
    assert page.evaluate("probes.small()") == []
    assert violations(page) == []
    if path in RICH:
        page.emulate_media(color_scheme="light")
        assert faint(page) == []
    assert phone.complaints == []
    assert phone.strangers == []


@pytest.mark.parametrize("path", sorted(RICH | {"/sign-in", "/setup", "/projects/new"}))
def test_the_keyboard_reaches_everything_and_the_focus_is_seen(visit: Visit, path: str) -> None:
    page = visit.open(path)
    settled(page)
    page.evaluate("document.activeElement.blur()")
    expected = page.evaluate("probes.focusable()")

    reached: set[int] = set()
    for _ in range(expected + 10):
        page.keyboard.press("Tab")
        at = page.evaluate("probes.focus()")
        if at is None:
            continue
        assert at[1] == "", "focus is not seen"
        reached.add(at[0])

    assert len(reached) >= expected
