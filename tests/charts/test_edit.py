"""Edits at a path leave every other byte as it is."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.charts.test_documents import DATA, OBJECTS, TEXTS
from windlass.charts.documents import (
    Change,
    Delete,
    Insert,
    NotEditable,
    Rename,
    Set,
    dump,
    edit,
    load,
)

TEXT = """\
# The shop.
apiVersion: v1   # ours
kind: Pod
metadata:
    name: a
    labels: {x: "1", "true": two}
spec:
    # all of them
    containers:
    - name: web   # the web
      image: nginx   # old
      env: []
      args:
        - |
          a

          b

    # the last one
    - name: side
      command:
      - - x
        - y
    volumes:
    empty: # todo
# end
"""
WEB = ("spec", "containers", 0)
CASES: dict[str, tuple[Change, str, str]] = {
    "a value": (Set((*WEB, "image"), "nginx:1.27"), "image: nginx   #", "image: nginx:1.27   #"),
    "a quoted value": (Set((*WEB, "image"), "1e3"), "image: nginx   #", 'image: "1e3"   #'),
    "a missing way": (
        Set((*WEB, "securityContext", "capabilities", "drop"), ["ALL"]),
        "          b\n",
        "          b\n      securityContext:\n        capabilities:\n          drop:\n"
        "            - ALL\n",
    ),
    "an empty list": (
        Set((*WEB, "env", 0, "name"), "A"),
        "env: []",
        "env:\n        - name: A",
    ),
    "nothing": (Set(("spec", "volumes"), [1]), "volumes:", "volumes:\n      - 1"),
    "nothing with a comment": (
        Set(("spec", "empty"), {"a": "b\n"}),
        "empty: # todo",
        "empty: # todo\n      a: |\n        b",
    ),
    "in brackets": (
        Set(("metadata", "labels", "new"), "on"),
        '"true": two}',
        '"true": two, new: "on"}',
    ),
    "a mapping by its keys": (
        Set(WEB, {"name": "web", "image": "x:1", "env": [], "args": ["a\n\nb\n"]}),
        "image: nginx   #",
        "image: x:1   #",
    ),
    "a key that goes": (Delete((*WEB, "image")), "      image: nginx   # old\n", ""),
    "a first key that goes": (
        Delete((*WEB, "name")),
        "name: web   # the web\n      image",
        "image",
    ),
    "a last item that goes": (
        Delete((*WEB, "args", 0)),
        "args:\n        - |\n          a\n\n          b\n",
        "args: []\n",
    ),
    "an item that goes": (
        Delete(("spec", "containers", 1)),
        "    - name: side\n      command:\n      - - x\n        - y\n",
        "",
    ),
    "an inner item that goes": (
        Delete(("spec", "containers", 1, "command", 0, 0)),
        "- - x\n        - y",
        "- - y",
    ),
    "a key in brackets that goes": (Delete(("metadata", "labels", "x")), 'x: "1", ', ""),
    "the last in brackets goes": (Delete(("metadata", "labels", "true")), ', "true": two', ""),
    "an item between": (
        Insert(("spec", "containers", 1), {"name": "mid"}),
        "    - name: side",
        "    - name: mid\n    - name: side",
    ),
    "an item at the end": (
        Insert(("spec", "containers", 2), {"name": "end"}),
        "        - y\n",
        "        - y\n    - name: end\n",
    ),
    "another name": (Rename(("spec", "empty"), "full"), "empty: #", "full: #"),
}


@pytest.mark.parametrize("case", CASES)
def test_only_what_was_meant_changes(case: str):
    change, before, after = CASES[case]
    assert TEXT.count(before) == 1

    assert edit(TEXT, [change]) == TEXT.replace(before, after)


def test_another_document_and_several_changes_at_once():
    text = "a: 1\n---\n# two\nb: 2"

    changes = [Set(("c", "d"), 3), Rename(("b",), "e")]
    assert edit(text, changes, document=1) == "a: 1\n---\n# two\ne: 2\nc:\n  d: 3"
    with pytest.raises(NotEditable, match="no document 5"):
        edit(text, changes, document=5)


def test_lines_of_windows_stay():
    assert edit("a:\r\n  b: 1\r\nc: 2\r\n", [Set(("a", "d"), [1])]) == (
        "a:\r\n  b: 1\r\n  d:\r\n    - 1\r\nc: 2\r\n"
    )


@pytest.mark.parametrize(
    "change",
    [
        Set(("metadata", "name", "x"), 1),
        Set((), {}),
        Delete(("nothing",)),
        Delete(("spec", "containers", 9)),
        Insert(("spec", "containers", 9), 1),
        Rename(("kind",), "spec"),
        Rename(("nothing",), "x"),
    ],
)
def test_what_cannot_be_done_is_refused(change: Change):
    with pytest.raises(NotEditable):
        edit(TEXT, [change])


def test_what_an_alias_shares_is_not_changed_in_several_places():
    text = "a: &x {k: 1}\nb: *x\nc: 1\n"

    with pytest.raises(NotEditable, match="alias"):
        edit(text, [Set(("a", "k"), 2)])
    assert edit(text, [Set(("c",), 2)]) == "a: &x {k: 1}\nb: *x\nc: 2\n"
    assert edit(text, [Set(("d",), 2)]) == "a: &x {k: 1}\nb: *x\nc: 1\nd: 2\n"


@settings(max_examples=60)
@given(OBJECTS, st.data())
def test_any_value_of_any_document_can_be_set_and_taken_away(
    document: dict[str, object], draw: st.DataObject
):
    """What this writer wrote can be changed at every place of it."""
    text, data = dump(document), copy.deepcopy(document)
    path, parent = (), data
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = draw.draw(st.sampled_from(keys))
        path = (*path, key)
        inner = parent[key]
        if not (isinstance(inner, dict | list) and inner) or draw.draw(st.booleans()):
            break
        parent = inner
    if draw.draw(st.booleans()) and not (len(path) == 1 and len(data) == 1):
        del parent[key]
        assert load(edit(text, [Delete(path)]))[0].data == data
        return
    parent[key] = draw.draw(DATA)
    assert load(edit(text, [Set(path, parent[key])]))[0].data == data


@settings(max_examples=60)
@given(OBJECTS, TEXTS, DATA)
def test_a_new_key_can_be_added_to_any_document(
    document: dict[str, object], key: str, value: object
):
    assert load(edit(dump(document), [Set((key,), value)]))[0].data == {**document, key: value}
