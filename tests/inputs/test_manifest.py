"""Paths and links: what may be in a tree, and what leaves it (C-147)."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import AppError
from windlass.core.manifest import (
    EMPTY_SHA256,
    DuplicatePath,
    Entry,
    EntryRefused,
    FileTooLarge,
    LinkLeaves,
    LinkLoops,
    PathClash,
    PathRefused,
    TooManyFiles,
    TreeLimits,
    TreeTooLarge,
    check_path,
    checked,
    link_entry,
    size_text,
)


def file(path: str, size: int = 0) -> Entry:
    return Entry(path, EMPTY_SHA256, size)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/etc/passwd",
        "~/x",
        "../x",
        "a/../../x",
        "a/..",
        "C:/x",
        "c:x",
        "a\\..\\b",
        "\\\\server\\share",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "caf\udce9",
        "．．/x",
        "a／..／b",
        "‥/x",
        "n" * 256,
        "/".join("d" * 65),
        "/".join(["d" * 250] * 5),
    ],
)
def test_a_path_that_leaves_or_misleads_is_refused(path: str) -> None:
    with pytest.raises(PathRefused) as caught:
        check_path(path)

    assert caught.value.reason == "PATH_REFUSED"
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("./a//b/./c.txt", "a/b/c.txt"),
        ("..a/b..", "..a/b.."),
        ("e\u0301.txt", "é.txt"),
        ("%2e%2e/x", "%2e%2e/x"),
        ("日本/½.md", "日本/½.md"),
        ("ab:c", "ab:c"),
    ],
)
def test_an_unusual_path_that_stays_is_kept(path: str, clean: str) -> None:
    assert check_path(path) == clean


def test_a_backslash_is_an_ordinary_character_in_a_name_from_a_linux_disk() -> None:
    assert check_path("lib\\index.js", on_disk=True) == "lib\\index.js"


@given(st.text(max_size=60))
def test_a_path_is_refused_or_stays_below_any_folder(path: str) -> None:
    try:
        clean = check_path(path)
    except PathRefused:
        return
    assert os.path.normpath(f"/root/{clean}") == f"/root/{clean}"
    assert check_path(clean) == clean


def test_a_manifest_is_sorted_and_in_nfc() -> None:
    entries = checked([file("b"), file("a/e\u0301"), file("a-b")])

    assert [entry.path for entry in entries] == ["a-b", "a/é", "b"]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([file("a"), file("./a")], DuplicatePath),
        ([file("é"), file("e\u0301")], DuplicatePath),
        ([file("a"), file("a/b")], PathClash),
        ([file("a/b/c/d"), file("a/b")], PathClash),
        ([link_entry("a", "b"), file("a/x")], PathClash),
        ([Entry("a", "ABC", 1)], EntryRefused),
        ([Entry("a", EMPTY_SHA256, -1)], EntryRefused),
        ([Entry("a", EMPTY_SHA256, 0, "file", "b")], EntryRefused),
        ([Entry("a", EMPTY_SHA256, 1, "link", "b")], EntryRefused),
        ([link_entry("a", "")], EntryRefused),
        ([link_entry("a", "x\0y")], EntryRefused),
        ([link_entry("a", "x" * 5000)], EntryRefused),
        ([file(str(n)) for n in range(11)], TooManyFiles),
        ([file("a", 600), file("b", 600)], TreeTooLarge),
        ([file("a", 1001)], FileTooLarge),
    ],
)
def test_a_malformed_tree_is_refused(entries: list[Entry], error: type[AppError]) -> None:
    with pytest.raises(error):
        checked(entries, limits=TreeLimits(files=10, total_bytes=1100, file_bytes=1000))


@pytest.mark.parametrize(
    "links",
    [
        {"a": "../x"},
        {"a": "/etc/passwd"},
        {"d/a": "../../x"},
        {"a": "b/../../x"},
        {"a": "./.."},
        {"d/here": ".", "d/a": "here/../../x"},
        {"up": "d/e", "d/e/back": "../..", "a": "up/back/../x"},
        {"s": "d/e/f", "a": "s/../../../../x"},
        {"a": "b", "b": "c", "c": "../x"},
        {"a": "/opt/python/../../etc/passwd"},
        {"a": "/opt/pythonx/bin"},
        {"tool": "/opt/python/bin", "a": "tool/../../../etc"},
        {"a": "/opt"},
    ],
)
def test_a_link_that_leaves_is_refused(links: dict[str, str]) -> None:
    entries = [link_entry(path, target) for path, target in links.items()]

    with pytest.raises(LinkLeaves):
        checked([*entries, file("d/e/f/x")], allow_links_under=["/opt/python"])


@pytest.mark.parametrize(
    "links",
    [
        {"a": "d"},
        {"a": "nothing/here"},
        {"d/a": "../d/e"},
        {"a": "b", "b": "c", "c": "d/e/f/x"},
        {"d/e/a": "../../x"},
        {".venv/bin/python": "/opt/python/bin/python3.11", ".venv/bin/python3": "python"},
        {"a": "/opt/python"},
    ],
)
def test_a_link_that_stays_is_kept(links: dict[str, str]) -> None:
    entries = [link_entry(path, target) for path, target in links.items()]

    manifest = checked([*entries, file("d/e/f/x")], allow_links_under=["/opt/python/"])

    assert {e.path: e.target for e in manifest if e.mode == "link"} == links


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "a/a"}])
def test_links_in_a_circle_are_refused(links: dict[str, str]) -> None:
    with pytest.raises(LinkLoops):
        checked([link_entry(path, target) for path, target in links.items()])


names = st.sampled_from(["a", "b", "c", "d"])
steps = st.sampled_from(["a", "b", "c", "d", ".", "..", ".."])


@given(
    st.dictionaries(
        st.lists(names, min_size=1, max_size=3).map("/".join),
        st.lists(steps, min_size=1, max_size=5).map("/".join),
        max_size=6,
    )
)
def test_no_accepted_link_leaves_in_the_eyes_of_the_kernel(
    tmp_path_factory: pytest.TempPathFactory, links: dict[str, str]
) -> None:
    try:
        manifest = checked(link_entry(path, target) for path, target in links.items())
    except AppError:
        return
    base: Path = tmp_path_factory.mktemp("tree")
    for entry in manifest:
        (base / entry.path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(entry.target, base / entry.path)
    for entry in manifest:
        assert Path(os.path.realpath(base / entry.path)).is_relative_to(base)


def test_sizes_read_well() -> None:
    assert [size_text(n) for n in (0, 1023, 1536, 2 << 30)] == [
        "0 bytes",
        "1023 bytes",
        "1.5 KiB",
        "2.0 GiB",
    ]
