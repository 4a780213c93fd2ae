"""`--set` and its siblings give what Helm gives (K-034): proven against Helm itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.charts.helm import setting
from windlass.charts.helm.setting import NotAnAssignment, apply

helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")

THEIRS = {
    "set": helm.parse_set_string,
    "set-string": helm.parse_set_string_values,
    "set-json": helm.parse_set_json,
    "set-literal": helm.parse_set_literal,
}
# What the grammar is made of, so that most expressions are nearly right.
PIECES = (
    *(
        "a",
        "b",
        ".",
        "[",
        "0",
        "]",
        "=",
        ",",
        "{",
        "}",
        "\\",
        '"',
        "1",
        "true",
        "null",
        "-1",
        "[0]",
    ),
    *("a.b=", "x=", '{"k":1}', "[1,2]", " ", "1.5", "é", "08", "False", "+3", "x[1].y=z"),
)


def test_values_have_types():
    values = apply(
        {}, [("set", "a=true,b=False,c=null,d=12,e=-3,f=1.5,g=007,h=0,i=,j=9223372036854775808")]
    )

    assert values == {
        "a": True,
        "b": False,
        "c": None,
        "d": 12,
        "e": -3,
        "f": "1.5",
        "g": "007",
        "h": 0,
        "i": "",
        "j": "9223372036854775808",
    }
    assert apply({}, [("set-string", "a=true,b=1")]) == {"a": "true", "b": "1"}


def test_keys_are_nested_escaped_and_indexed():
    values = apply(
        {},
        [
            ("set", r"n.kubernetes\.io/os=linux,list={a,b},q[1].x=1,t=a\,b"),
            ("set-json", 'j={"k":[1,"2"]},x[0]=true'),
            ("set-json", '{"whole":{"of":"it"}}'),
            ("set-literal", r"raw=a,b\c={d}"),
        ],
    )

    assert values == {
        "n": {"kubernetes.io/os": "linux"},
        "list": ["a", "b"],
        "q": [None, {"x": 1}],
        "t": "a,b",
        "j": {"k": [1, "2"]},
        "x": [True],
        "whole": {"of": "it"},
        "raw": r"a,b\c={d}",
    }


def test_options_of_one_kind_come_after_the_other_whatever_their_order():
    given_last = [
        ("set-literal", "a=4"),
        ("set-string", "a=3"),
        ("set", "a=2"),
        ("set-json", "a=1"),
    ]

    assert apply({"a": 0}, given_last) == {"a": "4"}
    assert apply({"a": 0}, given_last[1:]) == {"a": "3"}
    assert apply({"a": {"b": 0, "c": 1}}, [("set", "a.b=2")]) == {"a": {"b": 2, "c": 1}}


def test_what_cannot_be_read_says_why():
    for text in (
        "a",
        "a,b=1",
        "a[x]=1",
        "a[-1]=1",
        "a[99999]=1",
        "a={1",
        "a[0",
        "a.b",
        "=1,a.b=2,a=3,a.c=4",
    ):
        with pytest.raises(NotAnAssignment) as caught:
            apply({}, [("set", text)])
        assert text in caught.value.message
    for text in ("a=b=", "a={", "a=NaN", "{", '{"a":1}x', "a=1 2"):
        with pytest.raises(NotAnAssignment):
            apply({}, [("set-json", text)])
    with pytest.raises(NotAnAssignment, match="30 levels"):
        apply({}, [("set", ".".join("a" * 40) + "=1")])


@settings(max_examples=300)
@given(st.sampled_from(setting.ORDER), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_what_is_taken_means_the_same_to_helm(option: str, text: str):
    """Ours may refuse what Helm silently drops, and never takes anything to mean something else."""
    try:
        ours = apply({}, [(option, text)])
    except NotAnAssignment:
        return
    if option == "set-json" and text.strip().startswith("{"):
        return  # a whole object is read by the command line of Helm, before this function of it
    assert ours == THEIRS[option](text)
