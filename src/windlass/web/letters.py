"""What a mail says: one template, read twice, as plain text and as a small page.

A template in an area's `templates/mail` extends `letter` and fills the blocks `subject`, `body`,
`action` (the words of the button; left away, there is none) and `note`. `link` is where it leads.
"""

import re

import msgspec
from jinja2.runtime import Context

from windlass.core import languages
from windlass.web.page import ENV

# Names that people give themselves stand in these; in plain text nothing needs escaping.
_TEXT = ENV.overlay(autoescape=False)
_SPACES = re.compile(r"[ \t]*\n[ \t]*")
_LINES = re.compile(r"\n{3,}")


class Letter(msgspec.Struct, frozen=True):
    """A mail without an address."""

    subject: str
    text: str
    html: str


def write(template: str, language: str | None = None, **context: object) -> Letter:
    """Render `auth/mail/verify.html` and so on in the language of who reads it; a name that is
    missing is an error."""
    with languages.speaking(language):
        return _written(template, {**context, "language": languages.current()})


def _written(template: str, context: dict[str, object]) -> Letter:
    plain = _TEXT.get_template(template)
    inner: Context = plain.new_context({**context, "letter": "mail.txt"})
    subject = "".join(plain.blocks["subject"](inner))
    text = plain.render({**context, "letter": "mail.txt"})
    return Letter(
        subject=" ".join(subject.split()),
        text=_LINES.sub("\n\n", _SPACES.sub("\n", text)).strip() + "\n",
        html=ENV.get_template(template).render({**context, "letter": "mail.html"}),
    )
