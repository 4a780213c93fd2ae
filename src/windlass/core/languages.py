"""In which language a person reads. What is written in the source is English.

A message is its own key: `gettext("Sign in")` says it in the language of the request at hand, and
in English where nothing is known (jobs, the command line) or a translation is missing. Placeholders
stand in braces and are filled in after: `gettext("Type {name}").format(name=name)`. What is only
listed when a module loads, or made by a rule before it is known who reads, is marked with `N_` and
said later: `N_("{file}: a Go program").format(file=path)` is kept in English, `retold` to a reader.
A placeholder that itself holds a sentence of ours has one of the names in `SENTENCES`.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache

from windlass.core.catalogues import Catalogue, read

LANGUAGES = {"en": "English", "zh": "中文", "ja": "日本語", "ko": "한국어", "de": "Deutsch"}
DEFAULT = "en"
_MOST_LETTERS, _MOST_CHOICES = 500, 20
_LONGEST_SENTENCE = 4_000
_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\Z")
# A placeholder, and a word that makes a pattern more than placeholders.
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"(?<!\{)\b[A-Za-z]{3,}\b(?!\})")
# What they hold is told again by itself; of several sentences between semicolons, each.
SENTENCES = frozenset(
    [
        *("evidence", "folders", "held", "hint", "looked_for", "place", "problem", "reason"),
        *("what", "why"),
    ]
)
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
    if _current.get() == DEFAULT or len(sentence) > _LONGEST_SENTENCE:
        return sentence
    return _retold(_current.get(), sentence)


def filled(message: str, facts: Mapping[str, object]) -> str:
    """A message of ours in the language at hand, with its facts; those that are sentences, too."""
    told = {name: _fact(name, fact) for name, fact in facts.items()}
    return gettext(message).format(**told) if told else gettext(message)


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


def _fact(name: str, fact: object) -> object:
    if name not in SENTENCES or not isinstance(fact, str) or _current.get() == DEFAULT:
        return fact
    whole = retold(fact)
    return whole if whole != fact else "; ".join(retold(part) for part in fact.split("; "))


@lru_cache(maxsize=500)
def _retold(language: str, sentence: str) -> str:
    made = made_from(language, sentence)
    return filled(*made) if made else sentence


def made_from(language: str, sentence: str) -> tuple[str, dict[str, str]] | None:
    """The message of the catalogue that a sentence is, and what it was filled with."""
    if sentence in catalogue(language).messages:
        return sentence, {}
    for message, pattern in _patterns(language):
        facts = pattern.facts(sentence)
        if facts is not None:
            return message, facts
    return None


@cache
def _patterns(language: str) -> list[tuple[str, "_Pattern"]]:
    """Messages with placeholders: those with a sentence inside first, which could be taken for
    the whole, then those with the most words of their own."""
    found = [message for message in catalogue(language).messages if _PLACEHOLDER.search(message)]
    found.sort(key=_rank)
    return [(message, _Pattern(message)) for message in found if _WORD.search(message)]


def _rank(message: str) -> tuple[bool, int]:
    holds_one = not SENTENCES.isdisjoint(_PLACEHOLDER.findall(message))
    return not holds_one, -len(_PLACEHOLDER.sub("", message))


class _Pattern:
    """What stands between the placeholders of a message is looked for from left to right.

    It never goes back: a long sentence made to match nearly costs no more than its letters.
    """

    def __init__(self, message: str) -> None:
        parts = _PLACEHOLDER.split(message)
        self._first, *self._texts = parts[::2]
        self._names = parts[1::2]

    def facts(self, sentence: str) -> dict[str, str] | None:
        """What the placeholders were filled with, each with something; None when it is another."""
        last = len(sentence) - len(self._texts[-1])
        if not sentence.startswith(self._first) or sentence[max(last, 0) :] != self._texts[-1]:
            return None
        places = [len(self._first)]
        ends: list[int] = []
        for text in self._texts[:-1]:
            ends.append(sentence.find(text, places[-1] + 1, last))
            places.append(ends[-1] + len(text))
            if ends[-1] < 0:
                return None
        ends.append(last)
        found: dict[str, str] = {}
        for name, start, end in zip(self._names, places, ends, strict=True):
            if end <= start or found.setdefault(name, sentence[start:end]) != sentence[start:end]:
                return None
        return found


@cache
def catalogue(language: str) -> Catalogue:
    """Loaded when it is first asked for: most instances speak one or two."""
    return read(language)
