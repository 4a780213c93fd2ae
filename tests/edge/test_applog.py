"""An app's log: masked across any cut, bounded on disk."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from windlass.edge.applog import MAX_LINE_BYTES, AppLog


def lines(path: Path) -> list[str]:
    return [line.split("Z ", 1)[1] for line in path.read_text().splitlines()]


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_secret_is_masked_wherever_the_output_is_cut(tmp_path_factory, cuts: list[int]):
    path = tmp_path_factory.mktemp("logs") / "depl_1.log"
    log = AppLog(path)
    log.mask(("hunter2", "hunter2-and-more", "first line\nsecond line"))
    text = b"a hunter2-and-more b\nx hunter2\nsecond line here\n"
    edges = sorted({0, len(text), *cuts})
    for start, end in pairwise(edges):
        log.feed(text[start:end])
    log.close()

    assert lines(path) == ["a ******** b", "x ********", "******** here"]


def test_a_secret_across_the_cut_of_an_endless_line_is_masked(tmp_path: Path):
    log = AppLog(tmp_path / "depl_1.log")
    log.mask(("secret-value",))
    for offset in range(12):
        log.feed(b"x" * (MAX_LINE_BYTES + 1 - offset) + b"secret-value" + b"y" * 30 + b"\n")
    log.close()

    assert "secret" not in (tmp_path / "depl_1.log").read_text().replace("secret-value", "LEAK")
    assert "LEAK" not in (tmp_path / "depl_1.log").read_text().replace("secret-value", "LEAK")


def test_the_log_is_rotated_and_the_oldest_part_is_dropped(tmp_path: Path):
    log = AppLog(tmp_path / "depl_1.log", file_bytes=1000)
    for number in range(200):
        log.feed(b"line %03d\n" % number)
    log.close()

    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["depl_1.log", "depl_1.log.1", "depl_1.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    kept = [
        line
        for name in ("depl_1.log.2", "depl_1.log.1", "depl_1.log")
        for line in lines(tmp_path / name)
    ]
    assert kept == [f"line {number:03}" for number in range(200 - len(kept), 200)]


def test_what_cannot_be_written_still_shows_in_the_tail(tmp_path: Path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    log = AppLog(tmp_path / "logs" / "depl_1.log")
    log.feed(b"one\ntwo\n")

    assert log.tail() == ["one", "two"]


def test_a_last_line_without_its_break_is_kept(tmp_path: Path):
    log = AppLog(tmp_path / "depl_1.log")
    log.feed(b"Traceback\nKeyError: 'x'")
    log.close()

    assert log.tail() == ["Traceback", "KeyError: 'x'"]
