"""Times, sizes, ids and folders as pages say them."""

from types import SimpleNamespace

import pytest

from windlass.web import filters, tree


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "59 s ago"), (61, "1 min ago"), (7300, "2 h ago"), (90000, "yesterday")],
)
def test_times_are_relative(seconds: float, words: str) -> None:
    assert filters.relative(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.42, "0.4 s"), (38.4, "38 s"), (59.7, "1 min 00 s"), (3725, "1 h 02 min")],
)
def test_durations_are_short(seconds: float | None, words: str) -> None:
    assert filters.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, "–"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 40, "1.0 TiB")],
)
def test_sizes_go_in_steps_of_1024(count: int | None, words: str) -> None:
    assert filters.size(count) == words


def test_ids_show_their_end_and_commits_their_start() -> None:
    assert filters.short("depl_01kb8f3v4w5x6y7z8a9b0c1d2e") == "depl_…9b0c1d2e"
    assert filters.short("9f1c4d1e9a07b3f52") == "9f1c4d1e"
    assert filters.short(None) == ""


def test_terminal_codes_are_left_away_and_markup_is_escaped() -> None:
    assert filters.plain("\x1b[31m<b>\x1b[0m\x1b]8;;http://x\x07y") == "&lt;b&gt;y"


def test_a_listing_sums_up_its_folders_and_puts_them_first() -> None:
    files = [
        SimpleNamespace(path=path, size=10) for path in ("b.txt", "a/x", "a/deep/y", "ab/z", "c")
    ]

    top = tree.listing(files)
    inside = tree.listing(files, "a")

    assert [(node.name, node.kind, node.file_count) for node in top] == [
        ("a", "folder", 2),
        ("ab", "folder", 1),
        ("b.txt", "file", 1),
        ("c", "file", 1),
    ]
    assert [(node.path, node.size_bytes) for node in inside] == [("a/deep", 10), ("a/x", 10)]
