"""What the documents say exists."""

import re
from pathlib import Path

import pytest

from windlass.cli.table import COMMANDS

ROOT = Path(__file__).parents[2]
_PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("packaging/**/*.md")]
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]*)(?:#[^)\s]*)?\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = _LINK.findall(_FENCED.sub("", page.read_text()))
    near = [target for target in targets if target and not target.startswith(("http:", "https:"))]

    assert [target for target in near if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("folder", ["concepts", "decisions", "guides", "reference"])
def test_every_page_stands_in_the_index_of_its_folder(folder: str) -> None:
    index = (ROOT / "docs" / folder / "README.md").read_text()
    pages = [path.name for path in (ROOT / "docs" / folder).glob("*.md") if path.stem != "README"]

    assert [name for name in pages if f"({name})" not in index] == []


def test_the_readme_names_every_command_of_the_command_line() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [name for name in COMMANDS if f"`{name}`" not in readme.replace("windlass ", "")] == []


def test_every_path_named_in_the_guide_for_contributors_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_.]+)+\.(?:py|txt|toml|md))`", text))
    folders = (ROOT, ROOT / "src" / "windlass")

    assert named
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []
