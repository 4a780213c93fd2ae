"""A pasted command line → words, split as a POSIX shell does and without what else a shell does.

What a shell would carry out (other commands, redirections, substitutions, variables) is refused by
name wherever a shell would see it; inside of quotes it is text and stays text.
"""

import re
from collections.abc import Iterator

import msgspec

MOST_BYTES = 32 << 10

_BLANK = " \t"
_OPERATORS = ";&|<>()"
_VARIABLE = re.compile(r"\$(\{[^}\n]*\}|[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])")
_PLACEHOLDER = re.compile(r"<([^<>\n|;&]{1,60})>")
_CONTINUED = re.compile(r"\\[ \t]*\r?\n")
# What a terminal shows before a command, copied with it.
_PROMPT = re.compile(r"\s*([\w.-]+@[^\n$#]{0,80})?[$>%❯#]>?[ \t]+(?=helm)")
_CURLY = "“”„‘’‚«»"


class Refused(ValueError):
    """A command line that is not taken: what is wrong with it, what to do, and where it stands."""

    def __init__(self, code: str, message: str, hint: str = "", *, at: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.at = at
        """The character of the text that it is about, counted from 0."""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}." if self.hint else f"{self.message}."


class Word(msgspec.Struct, frozen=True):
    """One argument, and where it began."""

    text: str
    at: int
    is_quoted: bool = False


def commands(text: str) -> list[list[Word]]:
    """The words of each line; lines joined with a backslash are one. Raises Refused."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        most = f"{MOST_BYTES >> 10} KB"
        raise Refused("too-long", f"Input too long: a command has at most {most}")
    if "\0" in text:
        raise Refused("characters", "Invalid characters detected: a NUL", at=text.index("\0"))
    lines: list[list[Word]] = [[]]
    for word in _Reader(text).words():
        if word is None:
            lines.append([])
        else:
            lines[-1].append(word)
    return [_without_prompt(line) for line in lines if line]


def _without_prompt(line: list[Word]) -> list[Word]:
    return line[1:] if len(line) > 1 and line[0].text in ("$", "%", "❯") else line


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        prompt = _PROMPT.match(text)
        self._at = prompt.end() if prompt else 0
        self._now: list[str] = []
        self._began = -1
        self._is_quoted = False

    def words(self) -> Iterator[Word | None]:
        """Words, and None at the end of a line."""
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in _BLANK or letter in "\r\n\u00a0":
                yield from self._finished()
                if letter == "\n":
                    yield None
                self._at += 1
            elif letter == "#" and self._began < 0:
                # A comment, to the end of its line.
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                self._take(letter)
        yield from self._finished()

    def _finished(self) -> Iterator[Word]:
        if self._began >= 0:
            yield Word("".join(self._now), self._began, self._is_quoted)
            self._now, self._began, self._is_quoted = [], -1, False

    def _take(self, letter: str) -> None:
        """One letter of a word, or what begins with it."""
        if letter == "\\":
            continued = _CONTINUED.match(self._text, self._at)
            if continued:
                self._at = continued.end()
                return
        if self._began < 0:
            self._began = self._at
        if letter == "'":
            self._single()
        elif letter == '"':
            self._double()
        elif letter == "\\":
            if self._at + 1 >= len(self._text):
                self._at += 1  # the command was to go on and does not
                return
            self._now.append(self._text[self._at + 1])
            self._at += 2
        else:
            self._refuse_what_a_shell_does(letter)
            self._now.append(letter)
            self._at += 1

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise self._open("'")
        self._now.append(self._text[self._at + 1 : end])
        self._at, self._is_quoted = end + 1, True

    def _double(self) -> None:
        start, self._is_quoted = self._at, True
        self._at += 1
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == '"':
                self._at += 1
                return
            if letter == "\\" and self._text[self._at + 1 : self._at + 2] in tuple('$`"\\\n'):
                following = self._text[self._at + 1]
                self._now.append("" if following == "\n" else following)
                self._at += 2
                continue
            if letter in "$`":
                self._refuse_what_a_shell_does(letter)
            self._now.append(letter)
            self._at += 1
        self._at = start
        raise self._open('"')

    def _open(self, quote: str) -> Refused:
        return Refused(
            "quote",
            f"The quotation mark {quote} is never closed",
            "Paste the whole command, or close it",
            at=self._at,
        )

    def _refuse_what_a_shell_does(self, letter: str) -> None:
        at, text = self._at, self._text
        if letter == "`" or text.startswith("$(", at):
            raise Refused(
                "substitution",
                "Invalid characters detected: another command is to be run inside of this one",
                "Run it yourself and write what it prints",
                at=at,
            )
        if letter == "$":
            self._refuse_variable()
        if letter == "<" and (found := _PLACEHOLDER.match(text, at)):
            raise Refused(
                "placeholder",
                f"{found[0]} is a placeholder",
                f"Write your own value instead of {found[0]}",
                at=at,
            )
        if letter in _OPERATORS:
            what = {"<": "a redirection", ">": "a redirection"}.get(letter, "another command")
            raise Refused(
                "characters",
                f"Invalid characters detected: `{letter}` is {what} for a shell, and none runs",
                "Put a value that holds it into 'quotation marks', or leave it out",
                at=at,
            )
        if letter in _CURLY:
            raise Refused(
                "typography",
                f"{letter} is no quotation mark of a command line",
                "Write ' or \" instead: a text program changed them",
                at=at,
            )

    def _refuse_variable(self) -> None:
        at, text = self._at, self._text
        if text.startswith(("$'", '$"'), at):
            raise Refused(
                "characters",
                "Invalid characters detected: $'…' is written differently by each shell",
                "Leave out the dollar sign",
                at=at,
            )
        if found := _VARIABLE.match(text, at):
            raise Refused(
                "variable",
                f"{found[0]} is a variable of your shell, which is not known here",
                f"Write its value, or 'quote' it if {found[0]} is meant as it stands",
                at=at,
            )
