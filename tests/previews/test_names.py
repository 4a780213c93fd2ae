"""The label of a branch's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core import links
from windlass.projects.names import branch_host_label


@pytest.mark.parametrize(
    ("branch", "label"),
    [
        ("fix", "shop-git-fix"),
        ("feature/Cart_2", "shop-git-feature-cart-2"),
        ("ada:fix", "shop-git-ada-fix"),
        ("--", "shop-git-d4a23bd9"),
    ],
)
def test_the_label_says_the_branch(branch: str, label: str) -> None:
    made = branch_host_label("shop", branch)

    assert made == label if branch != "--" else made.startswith("shop-git-")


def test_a_long_branch_is_cut_and_told_apart_by_a_hash() -> None:
    one, two = (branch_host_label("shop", "x" * 80 + end) for end in ("a", "b"))

    assert len(one) == len(two) == 63
    assert one != two
    assert one[:54] == two[:54] == "shop-git-" + "x" * 45


def test_one_that_is_taken_gets_the_hash_too() -> None:
    assert branch_host_label("shop", "a/b") == branch_host_label("shop", "a-b")
    slashed = branch_host_label("shop", "a/b", is_taken=True)
    assert slashed != branch_host_label("shop", "a-b", is_taken=True)
    assert slashed.startswith("shop-git-a-b-")


@given(st.text(max_size=300), st.booleans())
def test_whatever_the_branch_is_called_it_is_a_host_name(branch: str, is_taken: bool) -> None:
    label = branch_host_label("s" * 54, branch, is_taken=is_taken)

    assert len(label) <= 63
    assert links.is_host(f"{label}.localhost")
