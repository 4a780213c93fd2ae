"""The wire of a push: what is read, what is refused, what is said."""

import io

import pytest

from windlass.adapters import git_protocol
from windlass.adapters.git_protocol import FLUSH, NOTHING, Command, PushBroken, line

NEW = "a" * 40
CAPABILITIES = "report-status side-band-64k push-options agent=git/2.39"


def body(*commands: str, capabilities: str = CAPABILITIES, rest: bytes = b"") -> io.BytesIO:
    first, *more = commands
    lines = [line(f"{first}\0{capabilities}"), *map(line, more), FLUSH]
    return io.BytesIO(b"".join(lines) + rest)


def test_commands_options_and_the_beginning_of_the_pack() -> None:
    options = line("production\n") + line("clean") + FLUSH
    file = body(
        f"{NOTHING} {NEW} refs/heads/main", f"{NEW} {NOTHING} refs/tags/v1", rest=options + b"PACK"
    )

    found = git_protocol.read(file)

    assert found.commands == (
        Command(NOTHING, NEW, "refs/heads/main"),
        Command(NEW, NOTHING, "refs/tags/v1"),
    )
    assert [command.branch for command in found.commands] == ["main", None]
    assert found.options == ("production", "clean")
    file.seek(found.offset)
    assert file.read() == b"PACK"


def test_an_empty_request_asks_for_nothing() -> None:
    assert git_protocol.read(io.BytesIO(FLUSH)).commands == ()
    assert git_protocol.read(io.BytesIO(b"")).commands == ()


@pytest.mark.parametrize(
    "content",
    [
        b"hello, here is no length",
        b"00",
        b"0003",
        b"0004",
        b"ffff short",
        line("what is this"),
        line(f"{NEW[:39]} {NEW} refs/heads/main"),
        line(f"{NOTHING} {NEW} refs/heads/a b"),
        line(f"{NOTHING} {NEW} refs/heads/a\x1b[2J"),
        b"".join(line(f"{NOTHING} {NEW} refs/heads/b{n}") for n in range(21)),
        b"".join([line(f"{NOTHING} {NEW} refs/heads/b\0push-options"), FLUSH, *[line("o")] * 21]),
    ],
)
def test_what_is_no_push_is_refused(content: bytes) -> None:
    with pytest.raises(PushBroken):
        git_protocol.read(io.BytesIO(content))


def test_what_is_here_is_told_with_what_can_be_asked() -> None:
    told = git_protocol.advertisement({"refs/heads/b": NEW, "refs/heads/a": NEW})
    first, rest = told.split(b"\0", 1)

    assert first.startswith(b"001f# service=git-receive-pack\n0000")
    assert first.endswith(NEW.encode() + b" refs/heads/a")
    assert b"side-band-64k" in rest
    assert rest.endswith(line(f"{NEW} refs/heads/b\n") + FLUSH)
    assert NOTHING.encode() + b" capabilities^{}\0" in git_protocol.advertisement({})


def test_progress_of_any_length_is_cut_and_a_report_is_one_line_each() -> None:
    told = git_protocol.progress("x" * 200_000)
    lengths = []
    while told:
        size = int(told[:4], 16)
        lengths.append(size)
        assert told[4:5] == b"\2"
        told = told[size:]
    assert max(lengths) <= 65_520
    assert sum(lengths) - 5 * len(lengths) == 200_000

    plain = git_protocol.report({"refs/heads/a": None, "refs/heads/b": "two\nlines"}, banded=False)
    expected = line("unpack ok\n") + line("ok refs/heads/a\n") + line("ng refs/heads/b two lines\n")
    assert plain == expected + FLUSH
