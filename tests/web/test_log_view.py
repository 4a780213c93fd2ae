"""C-311: the live log follows, pauses, folds, searches, links, and holds a million lines."""

import json
import re

from playwright.sync_api import Page, expect

from tests.web import samples as s
from tests.web.conftest import Visit

LIVE = f"/deployments/{s.LIVE.id}"
BUILDING = f"/deployments/{s.BUILDING.id}"
LINES = "[data-log-lines]"
SEQS = "[...document.querySelectorAll('.log-window a.seq')].map((seq) => Number(seq.textContent))"


def opened(visit: Visit, path: str = LIVE) -> Page:
    page = visit.open(path)
    page.wait_for_selector(".log-window .line")
    return page


def send(visit: Visit, *seqs: int) -> None:
    """The server writes lines into the stream of the log."""
    visit.followed("/logs/stream")
    for seq in seqs:
        line = {
            "seq": seq,
            "level": "info",
            "step": "deploy",
            "message": f"line {seq}",
            "timestamp": "2026-11-21T09:00:00Z",
        }
        for listener in visit.gallery.followers("/logs/stream"):
            listener.put(f"id: {seq}\nevent: log\ndata: {json.dumps(line)}\n\n")


def test_a_million_lines_are_held_and_only_those_in_sight_are_drawn(visit: Visit) -> None:
    visit.gallery.lines = 1_000_000
    page = opened(visit)
    state = page.locator("[data-log-state]")
    expect(state).to_have_text("1,000,000 lines")

    def look(share: float) -> list[int]:
        page.evaluate(
            """async (share) => {
              const box = document.querySelector("[data-log-lines]");
              box.scrollTop = (box.scrollHeight - box.clientHeight) * share;
              const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
              await frame();
              await frame();
            }""",
            share,
        )
        assert page.locator(".log-window > *").count() < 100
        return page.evaluate(SEQS)

    assert look(0)[0] == 1
    assert 490_000 < look(0.5)[0] < 510_000
    assert look(1)[-1] == 1_000_000
    assert page.evaluate("document.querySelector('.log-lines').scrollHeight") < 17_000_000
    # The last line is really in sight, not only in the document.
    expect(page.locator("a.seq", has_text=re.compile("^1000000$"))).to_be_in_viewport()

    page.fill("[data-log-search]", "[777777]")
    expect(page.locator("[data-log-hits]")).to_have_text("1")
    page.press("[data-log-search]", "Enter")
    expect(page.locator(".hit-here mark")).to_be_in_viewport()
    expect(page.locator(".hit-here")).to_contain_text("[777777]")
    assert visit.complaints == []


def test_the_log_follows_pauses_when_scrolled_up_and_says_so(visit: Visit) -> None:
    visit.gallery.lines = 300
    page = opened(visit, BUILDING)
    state, follow = page.locator("[data-log-state]"), page.locator("[data-log-follow]")
    expect(state).to_have_text("300 lines, following")
    expect(follow).to_be_hidden()
    expect(page.locator("a.seq", has_text="300")).to_be_in_viewport()

    page.hover(LINES)
    page.mouse.wheel(0, -600)
    expect(state).to_have_text("300 lines, paused")
    send(visit, 301, 302)
    expect(follow).to_have_text("Paused, 2 new. Follow")

    follow.click()
    expect(state).to_have_text("302 lines, following")
    expect(page.locator("a.seq", has_text="302")).to_be_in_viewport()
    send(visit, 302, 303)
    expect(state).to_have_text("303 lines, following")


def test_a_lost_stream_is_said_and_goes_on_without_a_gap_or_a_double(visit: Visit) -> None:
    page = opened(visit, BUILDING)
    state = page.locator("[data-log-state]")
    expect(state).to_have_text("12 lines, following")
    visit.followed("/logs/stream")

    visit.gallery.lines = 13
    visit.gallery.is_away = True
    visit.gallery.drop_connections()

    expect(state).to_have_text("Connection lost, trying again")
    visit.gallery.is_away = False
    expect(state).to_have_text("13 lines, following")
    assert page.evaluate(SEQS) == list(range(1, 14))


def test_a_version_that_is_over_shows_what_is_written_when_it_goes_live(visit: Visit) -> None:
    page = opened(visit)
    state = page.locator("[data-log-state]")
    expect(state).to_have_text("12 lines")
    top = page.evaluate("document.querySelector('.log-lines').scrollTop")

    visit.followed()
    visit.gallery.lines = 13
    visit.gallery.announce("deployment", s.LIVE.id)

    expect(state).to_have_text("13 lines")
    assert page.evaluate(SEQS) == list(range(1, 14))
    assert page.evaluate("document.querySelector('.log-lines').scrollTop") >= top
    assert visit.complaints == []


def test_phases_have_durations_and_fold(visit: Visit) -> None:
    page = opened(visit)
    phases = page.locator(".phase")
    expect(phases).to_have_count(5)
    install = phases.nth(1)
    expect(install).to_contain_text("Install")
    expect(install.locator(".took")).to_have_text(re.compile(r"\d"))
    before = page.locator(".log-window .line").count()

    install.click()

    expect(install).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".log-window .line")).to_have_count(before - 3)
    expect(page.locator(".phase").nth(2)).to_contain_text("1 error")


def test_levels_filter_and_colours_of_the_terminal_show(visit: Visit) -> None:
    page = opened(visit)
    expect(page.locator(".ansi-6").first).to_have_text("vite v7.2.1 ")

    page.select_option("[data-log-level]", "2")

    expect(page.locator(".log-window .line")).to_have_count(2)
    expect(page.locator(".line.error")).to_contain_text("chunk size is above the limit")


def test_search_marks_across_colours_and_steps_through_matches(visit: Visit) -> None:
    page = opened(visit)
    page.keyboard.press("/")
    page.keyboard.type("BUILD")
    hits = page.locator("[data-log-hits]")
    expect(hits).to_have_text("2")
    expect(page.locator("mark")).to_have_count(2)
    expect(page.locator("[data-log-marks]")).to_be_visible()

    page.keyboard.press("Enter")
    expect(hits).to_have_text("1/2")
    page.keyboard.press("Shift+Enter")
    expect(hits).to_have_text("2/2")
    page.keyboard.press("Escape")
    expect(page.locator("mark")).to_have_count(0)

    page.fill("[data-log-search]", "7.2.1 build")
    expect(hits).to_have_text("1")
    expect(page.locator(".ansi-6 mark")).to_have_text("7.2.1 ")
    expect(page.locator(".ansi-2 mark")).to_have_text("build")


def test_a_line_has_an_address_that_opens_there(visit: Visit) -> None:
    visit.gallery.lines = 20_000
    page = opened(visit, f"{LIVE}#L12000-L12002")

    expect(page.locator(".line.chosen")).to_have_count(3)
    expect(page.locator(".line.chosen").first).to_be_in_viewport()
    page.locator("a.seq", has_text="12005").click(modifiers=["Shift"])
    page.wait_for_url("**#L12000-L12005")


def test_the_log_is_copied_and_downloaded_without_terminal_codes(visit: Visit) -> None:
    page = opened(visit)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.locator("[data-log-state]")).to_have_text("12 lines")

    with page.expect_download() as download:
        page.click("[data-log-download]")
    text = download.value.path().read_text()
    page.click("[data-log-copy]")

    assert download.value.suggested_filename == f"harbour-shop-{s.LIVE.id}.log"
    assert text.splitlines()[2] == "$ npm ci"
    expect(page.locator(".toast")).to_contain_text("Copied 12 lines.")
    assert page.evaluate("navigator.clipboard.readText()") == text
