"""What every page keeps, seen without a browser."""

import gzip
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from tests.web import gallery
from windlass.core.headers import SECURITY_HEADERS
from windlass.web import page, static_files

PATHS = list(gallery.PAGES)
BUDGET_BYTES = 100_000


class _Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def attributes(text: str) -> _Attributes:
    parser = _Attributes()
    parser.feed(text)
    return parser


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_inline_script_style_or_foreign_asset(path: str) -> None:
    text = gallery.show(path)

    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "<style" not in text
    for tag, name, value in attributes(text).found:
        assert name != "style", tag
        assert not name.startswith("on"), (tag, name)
        if name == "src" or (tag in {"link", "use"} and name == "href"):
            own = (static_files.URL, "data:image/svg+xml") if tag == "img" else static_files.URL
            assert value.startswith(own), value


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_each_id_once_and_every_label_finds_its_field(path: str) -> None:
    found = attributes(gallery.show(path))

    assert len(found.ids) == len(set(found.ids)), sorted(
        identifier for identifier in set(found.ids) if found.ids.count(identifier) > 1
    )
    for tag, name, value in found.found:
        if tag == "label" and name == "for":
            assert value in found.ids, value


@pytest.mark.parametrize("path", PATHS)
def test_htmx_gets_the_content_without_the_frame(path: str) -> None:
    whole, part = gallery.show(path), gallery.show(path, fragment=True)

    assert "<html" in whole
    assert "<html" not in part
    assert part.strip() in whole


def test_the_budget_holds_for_the_largest_page_with_all_scripts() -> None:
    html = max(len(gzip.compress(gallery.show(path).encode())) for path in PATHS)
    assets = sum(
        len(gzip.compress(file.read_bytes()))
        for file in static_files.FOLDER.iterdir()
        if file.suffix in {".js", ".css"}
    )

    assert html + assets < BUDGET_BYTES, (html, assets)


def test_user_text_is_escaped() -> None:
    text = page.render(
        "error.html",
        path="/",
        theme="system",
        user=None,
        now=None,
        notice=None,
        status=404,
        code="NOT_FOUND",
        message="<script>alert(1)</script>",
        request_id=None,
    )

    assert "<script>alert" not in text


def asked(path: str = "/projects", **headers: str) -> SimpleNamespace:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(
        headers=names,
        cookies={},
        query_params={"notice": "saved"},
        url=SimpleNamespace(path=path),
        scope={"state": {}},
    )


def test_a_page_answers_whole_or_in_part_and_carries_the_policy() -> None:
    context = {"projects": [], "cursor": None}
    user = SimpleNamespace(name="Ada", email="ada@example.com", is_admin=False)

    whole = page.page(asked(), "projects/list.html", user=user, **context)
    part = page.page(asked(HX_Request="true"), "projects/list.html", user=user, **context)
    restored = page.page(
        asked(HX_Request="true", HX_History_Restore_Request="true"),
        "projects/list.html",
        user=user,
        **context,
    )

    assert "<html" in whole.content
    assert "Saved." in whole.content
    assert "<html" not in part.content
    assert "<html" in restored.content
    assert "unsafe" not in SECURITY_HEADERS["content-security-policy"]
    assert whole.headers["Vary"] == "HX-Request, Accept-Language, Cookie"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "", None, "projects", "/a\nb"],
)
def test_a_redirect_never_leaves_the_panel(target: str | None) -> None:
    assert page.local_path(target) == "/projects"


def test_a_redirect_keeps_a_path_of_the_panel() -> None:
    assert page.local_path("/projects/new?source=src_1") == "/projects/new?source=src_1"
