"""An app's log: masked across any cut, bounded on disk."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core import runtime_log
from windlass.core.runtime_log import Keep
from windlass.edge.applog import MAX_LINE_BYTES, AppLog


def lines(path: Path) -> list[str]:
    return [line[runtime_log.HEAD_BYTES :] for line in path.read_text().splitlines()]


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_secret_is_masked_wherever_the_output_is_cut(tmp_path_factory, cuts: list[int]):
    folder = tmp_path_factory.mktemp("logs")
    log = AppLog(folder, "web")
    log.mask(("hunter2", "hunter2-and-more", "first line\nsecond line"))
    text = b"a hunter2-and-more b\nx hunter2\nsecond line here\n"
    edges = sorted({0, len(text), *cuts})
    for start, end in pairwise(edges):
        log.feed(text[start:end])
    log.close()

    assert lines(folder / "web.000001.log") == ["a ******** b", "x ********", "******** here"]


def test_a_secret_across_the_cut_of_an_endless_line_is_masked(tmp_path: Path):
    log = AppLog(tmp_path, "web")
    log.mask(("secret-value",))
    for offset in range(12):
        log.feed(b"x" * (MAX_LINE_BYTES + 1 - offset) + b"secret-value" + b"y" * 30 + b"\n")
    log.close()

    assert "secret" not in (tmp_path / "web.000001.log").read_text().replace("secret-value", "LEAK")
    assert "LEAK" not in (tmp_path / "web.000001.log").read_text().replace("secret-value", "LEAK")


def test_the_log_is_rotated_and_the_oldest_part_is_dropped(tmp_path: Path):
    log = AppLog(tmp_path, "web", Keep(file_bytes=1000, files=3, bytes_per_second=1 << 30))
    other = AppLog(tmp_path, "worker", Keep(file_bytes=1000, files=3))
    other.feed(b"of another process\n")
    for number in range(200):
        log.feed(b"line %03d\n" % number)
    log.close()
    other.close()

    files = runtime_log.segments(tmp_path)["web"]
    assert len(files) == 3
    assert all(file.path.stat().st_size <= 1000 for file in files)
    kept = [line for file in files for line in lines(file.path)]
    assert kept == [f"line {number:03}" for number in range(200 - len(kept), 200)]
    assert lines(tmp_path / "worker.000001.log") == ["of another process"]


def test_a_log_that_is_opened_again_goes_on_where_it_was(tmp_path: Path):
    for number in range(40):
        log = AppLog(tmp_path, "web", Keep(file_bytes=300, files=2))
        log.feed(b"line %02d\n" % number)
        log.close()

    files = runtime_log.segments(tmp_path)["web"]
    assert [file.number for file in files] == [files[0].number, files[0].number + 1]
    assert lines(files[-1].path)[-1] == "line 39"


def test_a_log_whose_file_was_removed_begins_another(tmp_path: Path):
    log = AppLog(tmp_path, "web")
    log.feed(b"one\n")
    (tmp_path / "web.000001.log").unlink()
    log.feed(b"two\n")
    log.close()

    assert lines(tmp_path / "web.000002.log") == ["two"]


def test_a_flood_is_bounded_and_counted(tmp_path: Path):
    keep = Keep(file_bytes=20_000, files=2, bytes_per_second=0)
    log = AppLog(tmp_path, "web", keep)
    line = b"x" * 99 + b"\n"
    # Ten megabytes in pieces that cut lines anywhere, of which the first 20,000 bytes are allowed.
    flood = line * 100_000
    for start in range(0, len(flood), 4_001):
        log.feed(flood[start : start + 4_001])
    log.close()

    files = runtime_log.segments(tmp_path)["web"]
    assert sum(file.path.stat().st_size for file in files) <= 2 * 20_000
    kept = [line for file in files for line in lines(file.path)]
    assert {line for line in kept if not line.startswith("[windlass]")} == {"x" * 99}
    note = next(line for line in kept if line.startswith("[windlass]"))
    left_out = int(note.split()[1])
    assert "left out: it wrote more than" in note
    assert left_out > 99_000
    assert left_out + len(kept) - 1 in range(99_990, 100_011)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("INFO:     Application startup complete.", "I"),
        ("2026-11-21 10:00:00,123 ERROR myapp: it broke", "E"),
        ("[2026-11-21 10:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT", "E"),
        ("Traceback (most recent call last):", "E"),
        ("KeyError: 'x'", "E"),
        ("sqlalchemy.exc.OperationalError: no such table", "E"),
        ('{"level":50,"time":1,"msg":"boom"}', "E"),
        ('{"severity": "warning", "msg": "slow"}', "W"),
        ('time=1 level=warn msg="slow"', "W"),
        ("npm warning: old", "W"),
        ("WARNING:root:careful", "W"),
        ("no errors so far", "I"),
        ("GET /error-page 200", "I"),
        ("the level is fine", "I"),
        ("", "I"),
    ],
)
def test_how_bad_a_line_is_is_read_from_what_programs_usually_write(
    tmp_path: Path, line: str, level: str
):
    log = AppLog(tmp_path, "web")
    log.feed(f"{line}\n".encode())
    log.close()

    assert (tmp_path / "web.000001.log").read_text()[25] == level


def test_what_cannot_be_written_still_shows_in_the_tail(tmp_path: Path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    log = AppLog(tmp_path / "logs" / "depl_1", "web")
    log.feed(b"one\ntwo\n")

    assert log.tail() == ["one", "two"]


def test_a_last_line_without_its_break_is_kept(tmp_path: Path):
    log = AppLog(tmp_path, "web")
    log.feed(b"Traceback\nKeyError: 'x'")
    log.close()

    assert log.tail() == ["Traceback", "KeyError: 'x'"]
