"""In which language a person reads. What is written in the source is English.

A message is its own key: `gettext("Sign in")` says it in the language of the request at hand, and
in English where nothing is known (jobs, the command line) or a translation is missing. Placeholders
stand in braces and are filled in after: `gettext("Type {name}").format(name=name)`. What is only
listed when a module loads is marked with `N_` and said later.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache

from windlass.core.catalogues import Catalogue, read

LANGUAGES = {"en": "English", "zh": "中文", "ja": "日本語", "ko": "한국어", "de": "Deutsch"}
DEFAULT = "en"
_MOST_LETTERS, _MOST_CHOICES = 500, 20
_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\Z")
# A placeholder, and a word that makes a pattern more than placeholders.
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"(?<!\{)\b[A-Za-z]{3,}\b(?!\})")
_current: ContextVar[str] = ContextVar("language", default=DEFAULT)


def current() -> str:
    """Of this request: one of LANGUAGES."""
    return _current.get()


def enter(language: str) -> None:
    """From here on this request is answered in that language."""
    _current.set(language)


@contextmanager
def speaking(language: str | None) -> Generator[None]:
    """For a while: a letter is written in the language of who gets it."""
    before = _current.set(known(language) or DEFAULT)
    try:
        yield
    finally:
        _current.reset(before)


def gettext(message: str) -> str:
    """The message in the language at hand."""
    language = _current.get()
    return message if language == DEFAULT else catalogue(language).one(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The form of the message for so many of them; the count itself is still a placeholder."""
    language = _current.get()
    if language == DEFAULT:
        return one if count == 1 else many
    return catalogue(language).many(one, many, count)


def retold(sentence: str) -> str:
    """An English sentence of ours, as it was stored or made by a rule, in the language at hand.

    It is looked up whole, else by the pattern that it was filled in from.
    """
    if _current.get() == DEFAULT or len(sentence) > _MOST_LETTERS:
        return sentence
    return _retold(_current.get(), sentence)


def of_scripts() -> dict[str, list[str]]:
    """What the scripts of a page need to say; nothing for English."""
    return {} if _current.get() == DEFAULT else catalogue(_current.get()).scripts


def N_(message: str) -> str:
    """Marks a message for the catalogues; `gettext` says it when somebody reads."""
    return message


def known(language: str | None) -> str | None:
    """The language if it is one of ours, with or without a region: `zh-CN` is `zh`."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else None


def accepted(header: str) -> str | None:
    """The best language of an `Accept-Language` header (RFC 9110); None when none of ours is."""
    best, quality = None, 0.0
    for choice in header[:_MOST_LETTERS].split(",")[:_MOST_CHOICES]:
        name, _, parameter = choice.replace(" ", "").partition(";")
        said = _QUALITY.match(parameter) if parameter else None
        worth = (float(said[1]) if said else 0.0) if parameter else 1.0
        code = known(name) or (DEFAULT if name == "*" else None)
        if code and worth > quality:
            best, quality = code, worth
    return best


@lru_cache(maxsize=1000)
def _retold(language: str, sentence: str) -> str:
    found = catalogue(language)
    if sentence in found.messages:
        return found.one(sentence)
    for message, pattern in _patterns(language):
        if match := pattern.fullmatch(sentence):
            return found.one(message).format(**match.groupdict())
    return sentence


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Messages with placeholders, those with the most words of their own first."""
    found = [message for message in catalogue(language).messages if _PLACEHOLDER.search(message)]
    found.sort(key=lambda message: -len(_PLACEHOLDER.sub("", message)))
    return [(message, _pattern(message)) for message in found if _WORD.search(message)]


def _pattern(message: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(message)
    seen: set[str] = set()
    expression = re.escape(parts[0])
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        expression += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
        expression += re.escape(text)
        seen.add(name)
    return re.compile(expression, re.DOTALL)


@cache
def catalogue(language: str) -> Catalogue:
    """Loaded when it is first asked for: most instances speak one or two."""
    return read(language)
