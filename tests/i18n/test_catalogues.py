"""Catalogues agree with the source and with themselves: nothing is missing, no fact is lost."""

import importlib.util
import re
import string
from collections import Counter
from pathlib import Path

import pytest

from windlass.core import catalogues, languages

_SCRIPT = Path(__file__).parents[2] / "packaging" / "translations.py"
_spec = importlib.util.spec_from_file_location("translations", _SCRIPT)
assert _spec is not None
assert _spec.loader is not None
translations = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(translations)

OTHERS = [language for language in languages.LANGUAGES if language != languages.DEFAULT]
_PERCENT = re.compile(r"%\((\w+)\)s")
_TAG = re.compile(r"</?\w+[^>]*>")


def entries(language: str) -> list[catalogues.Entry]:
    text = catalogues.path_of(language).read_text("utf-8")
    return [entry for entry in catalogues.entries(text) if entry.texts["msgid"]]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name} | set(
        _PERCENT.findall(text)
    )


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str | None], set[str]]:
    return translations.collect()


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_holds_what_the_source_says(
    language: str, found: dict[tuple[str, str | None], set[str]]
) -> None:
    text = catalogues.path_of(language).read_text("utf-8")

    assert text == translations.written(language, found), "run: make translations"


@pytest.mark.parametrize("language", OTHERS)
def test_it_is_complete(language: str) -> None:
    missing = [entry.texts["msgid"] for entry in entries(language) if not all(entry.said)]

    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_facts_and_the_markup_of_its_message(language: str) -> None:
    wrong: list[str] = []
    for entry in entries(language):
        one, many = entry.texts["msgid"], entry.texts.get("msgid_plural", "")
        for said in filter(None, entry.said):
            facts = placeholders(said)
            if facts not in (placeholders(one), placeholders(many or one)):
                wrong.append(f"{one!r}: {facts}")
            if Counter(_TAG.findall(said)) != Counter(_TAG.findall(one)):
                wrong.append(f"{one!r}: other markup")
            if '"' in said and '"' not in one:
                wrong.append(f"{one!r}: a quote would end an attribute")

    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_its_plural_rule_leads_to_forms_that_there_are(language: str) -> None:
    found = catalogues.read(language)
    several = next(forms for message, forms in found.messages.items() if message == "{n} line")

    assert {found.plural(count) for count in range(200)} == set(range(len(several)))


def test_a_stored_sentence_is_told_again_by_its_pattern() -> None:
    stored = "The install command failed with exit code 1: npm ci"
    with languages.speaking("zh"):
        assert languages.retold(stored) == "install 命令失败（exit code 1）：npm ci"
        assert languages.retold("It is live") == "它在线上"
        assert languages.retold("Written by somebody else") == "Written by somebody else"
        assert languages.retold("{n}" * 400) == "{n}" * 400
    assert languages.retold(stored) == stored


def test_plural_forms_follow_the_language() -> None:
    with languages.speaking("zh"):
        assert languages.ngettext("{n} line", "{n} lines", 1).format(n=1) == "1 行"
        assert languages.ngettext("{n} line", "{n} lines", 7).format(n=7) == "7 行"
    assert languages.ngettext("{n} line", "{n} lines", 1) == "{n} line"


def test_scripts_get_only_what_they_say() -> None:
    with languages.speaking("zh"):
        assert languages.of_scripts()["Copied"] == ["已复制"]
        assert "Sign in" not in languages.of_scripts()
    assert languages.of_scripts() == {}


def test_reading_a_catalogue_takes_escapes_apart() -> None:
    text = (
        'msgid ""\nmsgstr ""\n\n#: a.py\nmsgid "a \\"b\\"\\n"\n"c"\nmsgstr "d"\n\n'
        '#, fuzzy\nmsgid "e"\nmsgstr "f"\n\n#~ msgid "old"\n#~ msgstr "gone"\n'
    )

    found = list(catalogues.entries(text))

    assert [entry.texts["msgid"] for entry in found] == ["", 'a "b"\nc', "e"]
    assert found[2].flags == " fuzzy"
