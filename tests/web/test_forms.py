"""Forms: what was typed becomes values, and errors find their field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web import samples
from windlass.core.errors import Conflict, ValidationFailed
from windlass.web import forms
from windlass.web.forms import Variable


def test_a_pasted_env_file_is_read_as_tools_write_it() -> None:
    block = """# settings
API_URL=https://api.example.com/?a=b#c
export NAME = "Ada \\"B\\" \\n $HOME"
SINGLE='no $escape \\n'
EMPTY=
TRAILING=yes # a comment
KEY="-----BEGIN-----
abc
-----END-----"
"""

    assert forms.parse_env(block) == [
        Variable("API_URL", "https://api.example.com/?a=b#c"),
        Variable("NAME", 'Ada "B" \n $HOME'),
        Variable("SINGLE", "no $escape \\n"),
        Variable("EMPTY", ""),
        Variable("TRAILING", "yes"),
        Variable("KEY", "-----BEGIN-----\nabc\n-----END-----"),
    ]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("nonsense", "Line 1 is not KEY=value"),
        ("A=1\n2B=3", "Line 2: 2B is not a name"),
        ('A="open', "Line 1: the quote is not closed"),
    ],
)
def test_a_wrong_line_of_a_block_is_named(block: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forms.parse_env(block)


@given(st.text(max_size=200))
def test_any_block_is_read_or_refused(block: str) -> None:
    try:
        found = forms.parse_env(block)
    except ValueError:
        return
    assert all(variable.key for variable in found)


def test_rows_and_block_become_one_list_and_blank_rows_are_nothing() -> None:
    form = {
        "env.0.key": "A",
        "env.0.value": "1",
        "env.2.key": "B",
        "env.2.value": "2",
        "env.2.secret": "true",
        "env.3.key": "",
        "env.3.value": "",
        "env_block": "A=3",
    }

    assert forms.variables(form) == [Variable("A", "3"), Variable("B", "2", secret=True)]
    assert forms.rows(form) == [Variable("A", "1"), Variable("B", "2", secret=True)]


def test_a_wrong_row_and_a_wrong_block_are_both_named() -> None:
    with pytest.raises(ValidationFailed) as caught:
        forms.variables({"env.1.key": "no name", "env.1.value": "x", "env_block": "?"})

    assert forms.errors(caught.value) == {
        "env.1.key": "no name is not a name: letters, digits and underscores, no digit first",
        "env_block": "Line 1 is not KEY=value",
    }


def test_errors_of_the_api_find_the_fields_of_the_form() -> None:
    error = ValidationFailed(
        fields=[
            {"field": "repositoryUrl", "message": "Not an address"},
            {"field": "repositoryUrl", "message": "second"},
            {"field": "", "message": "Too much"},
        ]
    )

    assert forms.errors(error) == {"repository_url": "Not an address", "form": "Too much"}
    assert forms.errors(Conflict()) == {"form": "That conflicts with the current state."}


def test_only_what_differs_from_the_plan_is_an_override() -> None:
    form = {**forms.plan_values(samples.PLAN), "build_command": "make site", "start_command": " "}

    chosen = forms.overrides(form, samples.PLAN)

    assert {name: value for name, value in chosen.items() if value is not None} == {
        "build_command": "make site"
    }


def test_passwords_are_not_shown_again() -> None:
    assert forms.values({"email": "a@b.c", "password": "x", "current_password": "y"}) == {
        "email": "a@b.c"
    }
