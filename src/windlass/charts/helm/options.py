"""The words of a command → options and arguments, as Helm's own reader takes them apart."""

import difflib
from collections.abc import Iterator

import msgspec

from windlass.charts.helm.flags import FLAGS, SHORT, Flag, Takes, Treatment
from windlass.charts.helm.words import Refused, Word

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Option(msgspec.Struct, frozen=True):
    """`--set a=b` → (`set`, "a=b"); a switch has "true" or "false" unless it took a word."""

    flag: Flag
    value: str
    at: int

    @property
    def name(self) -> str:
        return self.flag.name

    @property
    def is_on(self) -> bool:
        return self.value == "true"


def split(words: list[Word]) -> tuple[list[Word], list[Option]]:
    """The arguments and the options, each in their order. Raises Refused for what is not taken."""
    arguments: list[Word] = []
    options: list[Option] = []
    left = iter(words)
    for word in left:
        text = word.text
        if text == "--" and not word.is_quoted:
            arguments += left
        elif text.startswith("--"):
            options.append(_long(word, left))
        elif text.startswith("-") and len(text) > 1:
            options += _short(word, left)
        elif text[:1] in ("\u2013", "\u2014"):
            hint = "Write -- instead: a text program changed it"
            raise Refused("typography", f"`{text}` begins with a dash of prose", hint, at=word.at)
        else:
            arguments.append(word)
    return arguments, options


def _long(word: Word, left: Iterator[Word]) -> Option:
    name, equals, value = word.text[2:].partition("=")
    flag = _known(name, word)
    if equals:
        return _checked(flag, value, word)
    if flag.takes is Takes.word:
        return _checked(flag, _next(flag, word, left), word)
    return _checked(flag, "true", word)


def _short(word: Word, left: Iterator[Word]) -> Iterator[Option]:
    """`-i`, `-n web`, `-nweb`, `-n=web`, `-in web`."""
    letters = word.text[1:]
    while letters:
        name, letters = letters[0], letters[1:]
        if name not in SHORT:
            raise Refused("unknown-option", f"There is no option -{name}", at=word.at)
        flag = _known(SHORT[name], word)
        if flag.takes is Takes.word:
            value = letters.removeprefix("=") if letters else _next(flag, word, left)
            yield _checked(flag, value, word)
            return
        if letters.startswith("="):
            yield _checked(flag, letters[1:], word)
            return
        yield _checked(flag, "true", word)


def _known(name: str, word: Word) -> Flag:
    flag = FLAGS.get(name)
    if flag is None:
        near = difflib.get_close_matches(name, FLAGS, n=1)
        hint = f"Did you mean --{near[0]}" if near else "Leave it out"
        raise Refused("unknown-option", f"There is no option --{name}", hint, at=word.at)
    if flag.treatment is Treatment.refused:
        raise Refused("refused-option", f"--{name} is not taken: {flag.why}", at=word.at)
    return flag


def _next(flag: Flag, word: Word, left: Iterator[Word]) -> str:
    following = next(left, None)
    if following is None:
        raise Refused("option", f"--{flag.name} needs a value", at=word.at)
    return following.text


def _checked(flag: Flag, value: str, word: Word) -> Option:
    if flag.takes is Takes.word:
        return Option(flag, value, word.at)
    if value in _TRUE:
        return Option(flag, "true", word.at)
    if value in _FALSE:
        return Option(flag, "false", word.at)
    if flag.takes is Takes.optional:
        return Option(flag, value, word.at)
    hint = "Write it alone, or with =true or =false"
    raise Refused("option", f"--{flag.name}={value} is neither yes nor no", hint, at=word.at)
