"""C-312 and the rules of the panel: live parts, palette, shortcuts, forms, toasts, no script."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.running import until
from tests.web import people_samples as p
from tests.web import samples as s
from tests.web.conftest import Visit
from tests.web.server import Gallery

PROJECT = "/projects/harbour-shop"


def test_a_change_appears_without_a_reload_and_focus_stays(visit: Visit) -> None:
    page = visit.open(PROJECT)
    visit.followed()
    row = page.locator(f"#row-{s.BUILDING.id}")
    expect(row.locator(".status")).to_have_text("Building")
    row.locator("a.cover").focus()
    page.evaluate("window.sameDocument = true")

    template, signed_in, context = visit.gallery.pages[PROJECT]
    done = s.deployment(2, commit_message="Cache the product pictures for a week")
    shown = [done if one is s.BUILDING else one for one in s.DEPLOYMENTS]
    visit.gallery.pages[PROJECT] = (template, signed_in, {**context, "deployments": shown})
    visit.gallery.announce("deployment", s.BUILDING.id)

    expect(row.locator(".status")).to_have_text("Ready")
    expect(row.locator("a.cover")).to_be_focused()
    assert page.evaluate("window.sameDocument")


def test_all_tabs_share_one_connection(visit: Visit) -> None:
    visit.open(PROJECT)
    visit.followed()
    for _ in range(3):
        other = visit.page.context.new_page()
        asked: list[str] = []
        other.on("request", lambda request, asked=asked: asked.append(str(request.headers)))
        other.goto(visit.gallery.url + PROJECT)

        # It follows: a change makes it ask again. From when on cannot be seen from outside.
        def has_asked(other: Page = other, asked: list[str] = asked) -> bool:
            visit.gallery.announce("project", s.PROJECT.id)
            other.wait_for_timeout(100)
            return any("hx-request" in headers for headers in asked)

        until(has_asked, what="the other tab to hear of a change")

    assert len(visit.gallery.listeners) == 1


def test_a_lost_connection_is_said_and_taken_back(visit: Visit) -> None:
    page = visit.open(PROJECT)
    visit.followed()
    offline = page.locator("#offline")
    expect(offline).to_be_hidden()

    visit.gallery.is_away = True
    visit.gallery.drop_connections()
    expect(offline).to_be_visible()
    visit.gallery.is_away = False
    expect(offline).to_be_hidden()


def test_the_end_of_a_deployment_elsewhere_is_a_toast_and_there_are_three_at_most(
    visit: Visit,
) -> None:
    page = visit.open("/projects/harbour-shop/settings", is_still=True)
    visit.followed()
    for number in range(5):
        visit.gallery.announce("deployment", f"finished-{number}")

    told = "Object.keys(sessionStorage).filter((key) => key.startsWith('windlass.told:')).length"
    until(lambda: page.evaluate(told) == 5, what="all five to be told")
    expect(page.locator(".toast")).to_have_count(3)
    expect(page.locator(".toast").last).to_contain_text("Harbour shop failed: Build ran out")
    page.locator(".toast").last.get_by_label("Close").click()
    expect(page.locator(".toast")).to_have_count(2)
    page.mouse.move(0, 0)
    page.clock.fast_forward(7_000)
    expect(page.locator(".toast")).to_have_count(0)


def test_the_palette_finds_projects_pages_and_actions(visit: Visit) -> None:
    page = visit.open("/status")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("orde")
    expect(page.locator("#palette-list li").first).to_contain_text("orders")
    page.keyboard.press("Enter")
    # It belongs to somebody else, whose names of projects are their own: its id leads there.
    page.wait_for_url(f"**/projects/{s.public_id('proj', 2)}")

    page.goto(visit.gallery.url + f"/deployments/{s.PREVIEW.id}")
    page.keyboard.press("Control+k")
    page.keyboard.type("promote")
    expect(page.locator("#palette-list li").first).to_contain_text("Promote")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_keys_go_places_and_can_be_turned_off(visit: Visit) -> None:
    # Two keys belong together when the second comes soon.
    page = visit.open("/status", is_still=True)
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/account")

    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_what_cannot_be_undone_asks_first_and_returns_the_focus(visit: Visit) -> None:
    page = visit.open("/account/tokens")
    revoke = page.get_by_role("button", name="Revoke").first
    revoke.click()
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("Revoke the token “laptop”?")
    page.keyboard.press("Escape")
    assert visit.gallery.posted == []
    expect(revoke).to_be_focused()

    revoke.click()
    with page.expect_response("**/revoke"):
        dialog.get_by_role("button", name="Revoke").click()
    assert visit.gallery.posted[0][0] == f"/account/tokens/{p.TOKENS[0].id}/revoke"


def test_a_button_that_cannot_be_used_says_why_and_does_nothing(visit: Visit) -> None:
    page = visit.open(f"/deployments/{s.LIVE.id}")
    button = page.get_by_role("button", name="Roll back to this")
    button.focus()
    expect(page.locator("#why-roll-back-to-this")).to_be_visible()
    page.keyboard.press("Enter")
    page.goto(visit.gallery.url + "/status")

    assert visit.gallery.posted == []


def test_deleting_a_project_wants_its_name(visit: Visit) -> None:
    page = visit.open("/projects/harbour-shop/settings")
    delete = page.get_by_role("button", name="Delete Harbour shop")
    expect(delete).to_have_attribute("aria-disabled", "true")
    page.get_by_label("Type Harbour shop to delete it").fill("Harbour shop")
    expect(delete).not_to_have_attribute("aria-disabled", "true")


def test_a_draft_survives_a_reload(visit: Visit) -> None:
    page = visit.open("/projects/new-plan")
    page.get_by_label("Build", exact=True).fill("make site")
    expect(page.get_by_text("Use detected: npm run build")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Build", exact=True)).to_have_value("make site")
    page.get_by_text("Use detected: npm run build").click()
    expect(page.get_by_label("Build", exact=True)).to_have_value("npm run build")


def test_a_pasted_env_file_becomes_rows(visit: Visit) -> None:
    page = visit.open("/projects/new-unknown")
    page.get_by_label("Key", exact=True).first.focus()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text/plain", "# keys\\nexport A=1\\nB = 'two words' # note\\n");
          document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_label("Key", exact=True)).to_have_count(3)
    expect(page.get_by_label("Value", exact=True).nth(1)).to_have_value("two words")
    names = page.get_by_label("Key", exact=True).evaluate_all(
        "(inputs) => inputs.map((input) => input.name)"
    )
    assert len(set(names)) == 3


def test_the_theme_is_kept_in_a_cookie_that_the_server_reads(visit: Visit) -> None:
    page = visit.open("/account")
    page.locator("#content").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_errors_are_summed_up_focused_and_lead_to_their_fields(visit: Visit) -> None:
    page = visit.open("/setup-wrong")
    expect(page.locator("[role=alert]")).to_be_focused()
    page.get_by_role("link", name="This is not an e-mail address").click()
    expect(page.locator("#f-email")).to_be_focused()
    expect(page.locator("#f-email")).to_have_accessible_description(
        re.compile("^This is not an e-mail address")
    )


def test_a_form_that_stays_on_its_page_is_swapped_in(visit: Visit) -> None:
    page = visit.open("/projects/harbour-shop/environment")
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Key", exact=True).fill("A")
    with page.expect_response("**/environment"):
        page.get_by_role("button", name="Save variables").click()

    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    assert page.evaluate("window.sameDocument")
    assert visit.gallery.posted[0][1].startswith(b"env.0.key=A&")
    assert visit.complaints == []


def test_a_folder_of_the_release_opens_in_place(visit: Visit) -> None:
    page = visit.open(f"/deployments/{s.LIVE.id}")
    page.locator("#files summary", has_text="assets").click()
    expect(page.locator("#files .inside")).not_to_have_count(0)
    expect(page.locator("#files .inside .leaf").first).to_contain_text("index-Cq3kd.js")


def test_pages_read_and_forms_post_without_script(
    new_context: Callable[..., BrowserContext], gallery: Gallery
) -> None:
    context = new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gallery.url}/deployments/{s.FAILED.id}")
    expect(page.locator("h1")).to_contain_text("Build ran out of memory (2 GiB)")
    expect(page.locator(".log-static .line")).to_have_count(12)
    expect(page.locator("[data-log-tools]")).to_be_hidden()
    page.locator("#files").scroll_into_view_if_needed()

    page.goto(f"{gallery.url}/projects/new-git")
    page.get_by_label(re.compile("Address")).fill("https://git.example.com/a.git")
    with page.expect_response("**/projects/new/git"):
        page.get_by_role("button", name="Look inside").click()
    assert gallery.posted[0][0] == "/projects/new/git"
    page.goto(f"{gallery.url}/projects/new")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
    context.close()
