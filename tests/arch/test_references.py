"""Pages made from the code agree with the code; what they are made from is documented."""

from pathlib import Path

import pytest
from docs import generate

_PAGES = generate.pages()


@pytest.mark.parametrize("path", _PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_what_the_code_says(path: Path) -> None:
    """Run `make docs`, and look at what changed, when this fails."""
    assert path.read_text() == _PAGES[path]()


def test_every_setting_says_what_it_does() -> None:
    assert generate.undocumented_settings() == []


def test_every_setting_stands_in_the_reference() -> None:
    page = (generate.ROOT / "docs" / "reference" / "settings.md").read_text()

    assert [name for name in generate.variables() if f"`{name}`" not in page] == []


def test_every_route_of_the_api_says_what_it_does() -> None:
    assert generate.undocumented_routes(generate.application()) == []
