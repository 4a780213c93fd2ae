"""What a push starts, names of repositories, and globs: pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.projects.repositories import key_of
from windlass.webhooks.payloads import Push
from windlass.webhooks.rules import Rules, decide, matches


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop",
        "https://github.com/Acme/Shop.git",
        "https://github.com/acme/shop.git/",
        "https://user:token@github.com:443/acme/shop",
        "http://github.com/acme/shop",
        "git@github.com:acme/shop.git",
        "github.com:/acme/shop.git",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@ssh.github.com:443/acme/shop.git",
    ],
)
def test_one_repository_has_one_name(url: str) -> None:
    assert key_of(url) == "github.com/acme/shop"


@pytest.mark.parametrize("url", [None, "", "acme/shop", "https://github.com/", "http://[x/a"])
def test_what_is_no_repository_has_none(url: str | None) -> None:
    assert key_of(url) is None


@pytest.mark.parametrize(
    ("name", "globs", "is_in"),
    [
        ("main", ["*"], True),
        ("feature/cart", ["*"], False),
        ("feature/cart", ["**"], True),
        ("feature/cart", ["feature/*"], True),
        ("feature/cart/2", ["feature/*"], False),
        ("feature/cart/2", ["feature/**"], True),
        ("v1.2", ["v?.*"], True),
        ("docs/a.md", ["docs/"], True),
        ("a.md", ["**/*.md"], True),
        ("x/y/a.md", ["**/*.md"], True),
        ("x/y/a.md", ["x/**/a.md"], True),
        ("x/a.md", ["**", "!**/*.md"], False),
        ("x/a.md", ["!docs/**"], True),
        ("docs/a.md", ["!docs/**"], False),
        ("docs/a.md", ["!docs/**", "docs/a.md"], True),
        ("main", [], False),
        ("a[b", ["a[b"], True),
    ],
)
def test_globs(name: str, globs: list[str], *, is_in: bool) -> None:
    assert matches(name, globs) is is_in


def test_a_glob_that_would_go_back_for_ever_does_not() -> None:
    """A regular expression made of it takes longer than the universe has."""
    assert not matches("a" * 5000, ["*a" * 90 + "b"])
    assert not matches("a/" * 2000, ["**/a/" * 40 + "b"])


@given(st.text(alphabet="ab/", max_size=12))
def test_two_stars_take_everything(name: str) -> None:
    assert matches(name, ["**"])


@pytest.mark.parametrize("words", ["[skip ci]", "[CI Skip]", "[no ci]", "[skip deploy]"])
def test_a_commit_can_ask_not_to_be_deployed(words: str) -> None:
    push = Push(ref="refs/heads/main", commit_sha=None, message=f"Typo\n\n{words}")

    assert decide(push, Rules(branch="main")).reason == f"The commit says {words}"
