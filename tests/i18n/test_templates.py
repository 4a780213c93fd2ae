"""Nothing that people read stands in a template without going through the catalogues.

Templates are parsed, not searched: their literal HTML by an HTML parser, the expressions between
by Jinja itself.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import nodes

import windlass
from windlass.web.page import ENV

SOURCE = Path(windlass.__file__).parent
TEMPLATES = sorted(
    path
    for path in [*SOURCE.glob("*/templates/**/*.html"), *SOURCE.glob("*/templates/**/*.txt")]
    if path.is_file()
)
_READ = {
    *("title", "placeholder", "alt", "aria-label"),
    *("data-cancelled", "data-confirm", "data-palette"),
}
_SILENT = {"code", "kbd", "script", "style"}
# Names, and what is typed exactly like this.
_NAMES = re.compile(r"(\W*(Windlass|Git|Kubernetes|Rancher|YAML|Node\.js|KEY|UTC|Ctrl K))+\W*\Z")
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_SENTENCE = re.compile(r"[A-Z][a-z]+( |[.!?…]|\Z)|[A-Za-z]{2,},? [a-z]{2,}")
_SAYING = {"_", "gettext", "ngettext"}
_EXPRESSION = "\x00"


class Visible(HTMLParser):
    """What a reader sees of literal HTML; expressions are a character that is no letter."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        self.found += [value for name, value in attrs if name in _READ and value]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def literal(tree: nodes.Template) -> str:
    """The template without its expressions, whatever branch they stand in."""
    return "".join(
        part.data if isinstance(part, nodes.TemplateData) else _EXPRESSION
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )


def visible(html: str) -> list[str]:
    parser = Visible()
    parser.feed(html)
    parser.close()
    return [
        text.strip() for text in parser.found if _LETTERS.search(text) and not _NAMES.match(text)
    ]


def sentences(tree: nodes.Node) -> list[str]:
    """Literals of expressions that look like something to read, and are not said by `_()`."""
    called = tree.node if isinstance(tree, nodes.Call) else None
    if isinstance(called, nodes.Name) and called.name in _SAYING:
        return []
    if isinstance(tree, nodes.Compare | nodes.Include | nodes.Extends | nodes.Filter):
        return []
    if isinstance(tree, nodes.Const) and isinstance(tree.value, str):
        text = tree.value
        is_name = _NAMES.match(text) or text.startswith("windlass ") or "/" in text
        return [text] if _SENTENCE.match(text) and not is_name else []
    if isinstance(tree, nodes.Keyword) and tree.key in {"class", "autocomplete", "type"}:
        return []
    return [text for child in tree.iter_child_nodes() for text in sentences(child)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_people_read_goes_through_the_catalogues(path: Path) -> None:
    tree = ENV.parse(path.read_text("utf-8"))

    assert visible(literal(tree)) == []
    assert sentences(tree) == []


@pytest.mark.parametrize(
    "template",
    [
        "<p>Some words</p>",
        '<p title="Some words">{{ x }}</p>',
        '<form data-cancelled="Some words">{{ x }}</form>',
        '{{ ui.tabs(_("Account"), [("/x", "key", "API tokens", true)]) }}',
        "{% if x %}<b>Words</b>{% endif %}",
        '{{ ui.field("name", "Name", help="Some words") }}',
        '{{ "some words" if x else y }}',
    ],
)
def test_a_text_that_was_forgotten_is_found(template: str) -> None:
    tree = ENV.parse(template)

    assert visible(literal(tree)) + sentences(tree) != []


@pytest.mark.parametrize(
    "template",
    [
        '<p>{{ _("Some words") }}</p>',
        '<p title="{{ _("Some words") }}"><code>windlass up</code></p>',
        "{% trans %}Some words{% endtrans %}",
        '{{ ui.field("name", _("Name"), class="wide part") }}',
    ],
)
def test_a_text_that_goes_through_them_is_not(template: str) -> None:
    tree = ENV.parse(template)

    assert visible(literal(tree)) + sentences(tree) == []
