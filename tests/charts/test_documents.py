"""YAML as Kubernetes reads it: what scalars mean, where things stand, what is refused (K-095)."""

import math
import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.charts.documents import (
    Limits,
    Unreadable,
    dump,
    load,
    read,
    resources,
)

AS_GO_READS = {
    **dict.fromkeys(["y", "Y", "yes", "On", "TRUE"], True),
    **dict.fromkeys(["n", "N", "no", "Off", "FALSE"], False),
    **dict.fromkeys(["~", "null", "Null", "NULL", ""]),
    **{word: word for word in ("tRue", "nULL", "22:22", "1:30:00", "2001-12-14", "=", "_1", ".")},
    **{word: word for word in ("0b12", "0x", "0xg", "1e", "1.2.3", "0x1p4", "1e400", ".e5", "5Mi")},
    "1e3": 1000,
    "1E3": 1000,
    "1e+06": 1000000,
    "12e03": 12000,
    "1.5e3": 1500,
    "3.0": 3,
    "0o644": 420,
    "010": 8,
    "08": 8,
    "09": 9,
    "0x1F": 31,
    "-0x1f": -31,
    "0b11": 3,
    "-0o17": -15,
    "1_000": 1000,
    "1__0": 10,
    "1_": 1,
    "0_7": 7,
    "+5": 5,
    "0.": 0,
    "-0": 0,
    "5.e1": 50,
    "-.5": -0.5,
    "+.5": 0.5,
    ".5": 0.5,
    ".5_0": 0.5,
    "1.10": 1.1,
    "1_2.3_4": 12.34,
    "9223372036854775807": 9223372036854775807,
    "9223372036854775808": 9223372036854775808.0,
}


@pytest.mark.parametrize("text", AS_GO_READS)
def test_a_scalar_means_what_it_means_to_kubernetes(text: str):
    """The table was compared with what kubectl makes of each."""
    [document] = load(f"value: {text}\n")

    expected = AS_GO_READS[text]
    assert document.data == {"value": expected}
    assert type(document.data["value"]) is type(expected)


def test_keys_are_text_and_merges_and_aliases_are_written_out():
    [document] = load("on: 1\n010: 2\nbase: &b {a: 1, b: 2}\nmore:\n  <<: *b\n  b: 3\nsame: *b\n")

    assert document.data == {
        "true": 1,
        "8": 2,
        "base": {"a": 1, "b": 2},
        "more": {"b": 3, "a": 1},
        "same": {"a": 1, "b": 2},
    }
    assert document.data["same"] is not document.data["base"]


def test_a_merge_counts_where_it_stands_as_for_go():
    [document] = load("a: {b: 3, <<: {b: 2}}\nc: {<<: [{a: 1}, {a: 2, b: 5}], b: 3}\n")

    assert document.data == {"a": {"b": 2}, "c": {"a": 1, "b": 3}}


def test_explicit_tags_decide():
    [document] = load("a: !!str 5\nb: !!int '7'\nc: !!binary aGk=\nd: !custom x\n")

    assert document.data == {"a": "5", "b": 7, "c": "hi", "d": "x"}


BROKEN = {
    "duplicate-key": ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3),
    "tab": ("a:\n\tb: 1\n", 2, 1),
    "not-yaml": ("a: 1\nb: c: d\n", 2, 5),
    "alias-cycle": ("a: &a\n  - *a\n", 1, 4),
    "not-a-number": ("a: .nan\n", 1, 4),
    "key": ("a: 1\n? [x]\n: y\n", 2, 3),
    "tag": ("a: !!int five\n", 1, 4),
    "too-deep": ("[" * 300_000, 1, 101),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_text_is_named_with_its_place_and_what_to_do(code: str):
    text, line, column = BROKEN[code]

    [problem] = read(text, "app.yaml").problems

    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert problem.hint
    assert str(problem).startswith(f"app.yaml:{line}:{column}: ")
    with pytest.raises(Unreadable, match=r"app\.yaml"):
        load(text, "app.yaml")


@pytest.mark.parametrize("text", ["- " * 300_000 + "a", "? " * 300_000 + "a", "{a: " * 300_000])
def test_what_is_nested_too_deeply_does_not_end_the_process(text: str):
    assert [one.code for one in read(text).problems] == ["too-deep"]


def test_control_characters_and_other_encodings_are_refused():
    assert [one.code for one in read("a: \x07").problems] == ["not-yaml"]
    assert [one.code for one in read("a: 'ü'".encode("latin-1")).problems] == ["not-utf8"]
    assert [one.code for one in read("a: \ud800").problems] == ["not-utf8"]
    [problem] = read(b"a: 1\nb: \xff\n").problems
    assert problem.line == 2


def test_a_bomb_of_aliases_stops_early():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")

    assert [one.code for one in read("\n".join(lines)).problems] == ["alias-bomb"]
    long = "a: &a " + "x" * 1_000_000 + "\nb: [" + "*a, " * 5000 + "]\n"
    assert [one.code for one in read(long).problems] == ["alias-bomb"]


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"#%,\n\t ~<01é\r\x85\ud800", max_size=40))
def test_any_text_is_read_or_named(text: str):
    reading = read(text)

    for problem in (*reading.problems, *resources(reading).problems):
        assert problem.line >= 1
        assert problem.column >= 1


def test_sizes_are_limited():
    assert [one.code for one in read("a: " + "x" * (50 << 20)).problems] == ["too-large"]
    many = read("---\na: 1\n" * 30, limits=Limits(documents=20))
    assert [one.code for one in many.problems] == ["too-many-documents"]
    assert len(many.documents) == 20


def test_one_broken_document_does_not_hide_the_others():
    reading = read("a: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n")

    assert [(one.index, one.data) for one in reading.documents] == [(0, {"a": 1}), (2, {"c": 3})]
    assert [(one.document, one.line) for one in reading.problems] == [(1, 4), (3, 8)]


def test_empty_documents_are_left_out_and_dashes_inside_of_a_text_do_not_split():
    text = "---\n# nothing\n---\na: |\n  x\n  ---\n  y\n---\n\n--- # c\nb: 1\n...\n---\n~\n"

    assert [one.data for one in load(text)] == [{"a": "x\n---\ny\n"}, {"b": 1}]
    assert load("") == load("\ufeff") == load("# only a comment") == []


def test_a_mark_a_directive_and_windows_lines_are_read():
    assert load("\ufeffa: 1\n")[0].data == {"a": 1}
    assert load("%YAML 1.1\n---\na: on\n")[0].data == {"a": True}
    [first, second] = load("a: 1\r\n---\r\nb:\r\n  c: x\r\n")
    assert second.data == {"b": {"c": "x"}}
    assert second.where(("b", "c")).line == 4
    assert first.where(("nothing",)).line == 1


def test_places_are_those_of_the_file():
    text = "a: 1\n---\nspec:\n  items:\n    - name: ünï\n      image: x:1\n"
    document = load(text)[1]
    place = document.where(("spec", "items", 0, "image"))
    value = document.span(("spec", "items", 0, "image"))

    assert (place.line, place.column, place.end_column) == (6, 7, 12)
    assert (value.line, value.column, value.end_column) == (6, 14, 17)
    assert document.where(("spec", "items", 0)).line == 5
    # What is missing is shown where it would belong.
    assert document.where(("spec", "items", 0, "ports", 3)).line == 5


def test_objects_are_taken_out_of_lists_and_incomplete_ones_are_named():
    text = """
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: a, namespace: shop}}
  - {apiVersion: v1, kind: PodList, items: [{apiVersion: v1, kind: Pod, metadata: {name: b}}]}
  - {kind: Pod, metadata: {name: 5}}
  - 7
---
- a
"""
    listed = resources(read(text))

    assert [(one.kind, one.namespace, one.name) for one in listed.resources] == [
        ("Service", "shop", "a"),
        ("Pod", "", "b"),
    ]
    assert listed.resources[1].path == ("items", 1, "items", 0)
    assert listed.resources[1].where(("metadata", "name")).line == 6
    assert [(one.code, one.line) for one in listed.problems] == [
        ("api-version", 7),
        ("name", 7),
        ("not-an-object", 8),
        ("not-an-object", 10),
    ]


AMBIGUOUS = [
    *("y", "n", "Y", "N", "yes", "no", "on", "off", "True", "~", "null", "1e3", "1E3", "1e+06"),
    *("12e03", "0o644", "08", "09", "-.5", "22:22", "2001-12-14", ".inf", "0x1F", "1_000", "="),
    *("<<", "-", "?", ":", "#", "a:", ":a", "a:b", "@a", "`a", "%a", "!a", "&a", "*a", "{}", "[]"),
    *(",", "'", '"', "|", ">", "-a", "---", "...", "5Mi", "1m", "0", "0777"),
]
TEXTS = st.one_of(
    st.sampled_from([*AMBIGUOUS, "", " ", "a b", " a", "a ", "a #b", "a: b", "x\n", "\n", "\nx"]),
    st.text(max_size=20),
    st.text(alphabet="ab \n\t:#-\r\x85\u2028é😀", max_size=12),
    st.text(alphabet="0123456789abex_.+-:", max_size=8),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(
    lambda one: 0.5 if one.is_integer() else one
)
SCALARS = st.one_of(
    TEXTS, st.booleans(), st.none(), st.integers(-(1 << 63), (1 << 63) - 1), NUMBERS
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
OBJECTS = st.dictionaries(TEXTS, DATA, min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.lists(OBJECTS, min_size=1, max_size=3))
def test_what_is_written_is_read_as_the_same(documents: list[dict[str, object]]):
    assert [one.data for one in load(dump(*documents))] == documents


@given(st.text(min_size=1, max_size=12))
def test_no_other_reader_takes_a_text_for_something_else(text: str):
    assert yaml.safe_load(dump({"value": text, text: 1}))["value"] == text


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_ambiguous_texts_are_quoted(text: str):
    line = dump({"a": text}).removeprefix("a: ").rstrip("\n")

    assert line == f'"{text}"' or text in {"a:b", "5Mi", "1m", '"'}


def test_numbers_and_nothing_are_plain_and_strange_values_are_refused():
    assert dump({"a": 1, "b": 1.5, "c": None, "d": True}) == "a: 1\nb: 1.5\nc: null\nd: true\n"
    with pytest.raises(TypeError, match="nothing that YAML"):
        dump({"a": b"x"})
    with pytest.raises(TypeError, match="nothing that YAML"):
        dump({"a": math.inf})


def test_a_pyyaml_without_libyaml_reads_the_same():
    program = (
        "import sys; sys.modules['yaml._yaml'] = None\n"
        "from windlass.charts.documents import load, read\n"
        "[one] = load('a: 1e3\\nb: [y, \"y\"]\\n')\n"
        "print(one.data, one.where(('b', 1)).column, read('a: [').problems[0].code)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout == "{'a': 1000, 'b': [True, 'y']} 8 not-yaml\n"


def test_the_library_needs_neither_a_web_framework_nor_a_database():
    program = (
        "import sys, windlass.charts.documents; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'litestar', 'sqlalchemy', 'asyncpg', 'httpx2', 'jinja2', 'structlog'}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout == "[]\n"
