"""Pages in another language in a real browser: they fit a phone, and the scripts speak it too."""

import re

import pytest
from playwright.sync_api import expect

from tests.web import gallery as pages
from tests.web import samples as s
from tests.web.conftest import PROBES, Visit

# Chinese has the shortest words, German the longest.
LANGUAGES = ("zh", "de")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_phone_in(phone: Visit, language: str) -> None:
    phone.gallery.language = language
    wide: list[str] = []
    for path in pages.PAGES:
        page = phone.open(path)
        page.wait_for_load_state("load")
        page.evaluate(PROBES.read_text())
        lang, fits = page.evaluate("[document.documentElement.lang, probes.fits()]")
        assert lang == language
        if not fits:
            wide.append(path)

    assert wide == []
    assert phone.complaints == []


def test_the_scripts_of_a_page_speak_its_language(visit: Visit) -> None:
    visit.gallery.language = "zh"
    page = visit.open(f"/deployments/{s.LIVE.id}")

    expect(page.locator("[data-log-state]")).to_have_text(re.compile(r"\d 行$"))
    expect(page.locator("time[data-time=relative]").first).to_have_text(re.compile("前|昨天"))
    expect(page.locator(".seq").first).to_have_attribute("aria-label", re.compile(r"第 \d+ 行"))
    page.keyboard.press("Control+k")
    page.keyboard.type("主题：深色")
    expect(page.locator("#palette-list li").first).to_contain_text("主题：深色")
    page.locator("#palette input").fill("zzzz")
    expect(page.locator("#palette-list li").first).to_have_text("没有此名称的内容")
    assert visit.complaints == []


def test_how_an_app_is_is_said_in_the_language_of_the_page(visit: Visit) -> None:
    visit.gallery.language = "de"
    page = visit.open(f"/deployments/{s.PREVIEW.id}")

    expect(page.locator("#app-state")).to_have_text(re.compile("^Schläft"))


def test_a_question_is_asked_in_the_language_of_the_page(visit: Visit) -> None:
    visit.gallery.language = "zh"
    page = visit.open(f"/deployments/{s.FAILED.id}")

    page.locator("#end button").click()

    expect(page.locator("#confirm-title")).to_have_text("删除此部署及其文件和日志？")
    expect(page.locator("#confirm-rest")).to_have_text("此操作无法撤销。")
    expect(page.locator('#confirm [value="no"]')).to_have_text("保留")


def test_what_the_api_says_to_a_script_is_in_the_language_of_the_page(visit: Visit) -> None:
    visit.gallery.language = "zh"
    page = visit.open("/status")
    with page.expect_request("**/api/projects*") as asked:
        page.keyboard.press("Control+k")

    assert asked.value.headers["accept-language"] == "zh"


def test_a_page_in_english_brings_no_translations(visit: Visit) -> None:
    page = visit.open("/status")

    assert page.locator("#words").count() == 0
