"""What apps wrote: searched backwards page by page, followed, downloaded."""

import datetime as dt
import json
import random
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from windlass.builds.models import Source
from windlass.core import ids, runtime_log
from windlass.core.runtime_log import Keep
from windlass.core.schemas import BadCursor
from windlass.core.settings import Settings
from windlass.deployments import runtime_logs, runtime_routes
from windlass.deployments.runtime_logs import Line, Wanted
from windlass.edge.applog import AppLog
from windlass.projects.models import Project

URL = "/api/deployments"
pytestmark = pytest.mark.anyio
START = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)


def put(where: Path, process: str, number: int, lines: list[str]) -> None:
    where.mkdir(parents=True, exist_ok=True)
    path = runtime_log.segment(where, process, number).path
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def line(second: int, text: str, level: str = "I") -> str:
    return f"{runtime_logs.stamp(START + dt.timedelta(seconds=second))} {level} {text}"


def pages(where: Path, wanted: Wanted, limit: int) -> list[Line]:
    """All pages of an answer, one after the other."""
    found: list[Line] = []
    cursor = None
    for _ in range(10_000):
        page = runtime_logs.newest(where, wanted, limit=limit, cursor=cursor)
        assert len(page.lines) <= limit
        found += page.lines
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("seed", range(6))
def test_pages_hold_every_wanted_line_once_newest_first(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    written: list[Line] = []
    for process in ("web", "worker", "clock-2"):
        lines: list[str] = []
        for second in range(300):
            level = chance.choice("IIIIWE")
            long = chance.choice((3, 400, 4000))
            message = chance.choice(("Grün", "GET /", "boom")) + " " + "x" * long
            time = second * 3 + chance.randint(0, 2)
            lines.append(line(time, message, level))
            written.append(
                Line(
                    time=lines[-1][:24],
                    process=process,
                    level=runtime_log.LEVELS[level.encode()],
                    message=message,
                )
            )
        cut = chance.randint(1, 299)
        put(tmp_path, process, 7, lines[:cut])
        put(tmp_path, process, 8, lines[cut:])
    since, until = (runtime_logs.stamp(START + dt.timedelta(seconds=s)) for s in (200, 600))

    for wanted in (
        Wanted(),
        Wanted(search="get /"),
        Wanted(search="grün"),
        Wanted(search="BOOM", level="error"),
        Wanted(level="warn", process="worker"),
        Wanted(since=since, until=until),
        Wanted(until=until, search="x" * 300, process="web"),
        Wanted(search="nobody said this"),
        Wanted(process="nobody"),
    ):
        expected = sorted(
            (
                one
                for one in written
                if wanted.process in (None, one.process)
                and wanted.level in (None, one.level)
                and wanted.search.lower() in one.message.lower()
                and (wanted.since or "") <= one.time <= (wanted.until or "9")
            ),
            key=lambda one: (one.time, one.process, one.message),
        )
        found = pages(tmp_path, wanted, chance.choice((1, 17, 200)))
        assert [one.time for one in found] == [one.time for one in reversed(expected)]
        assert sorted(found, key=lambda one: (one.time, one.process, one.message)) == expected


def test_who_follows_gets_a_line_whole_that_was_being_written_when_they_looked(tmp_path: Path):
    put(tmp_path, "web", 1, [line(0, "before")])
    places = runtime_logs.ends(tmp_path)
    path = runtime_log.segment(tmp_path, "web", 1).path
    text = f"{line(1, 'one')}\n{line(2, 'two')}\n"
    found: list[str] = []
    for piece in (text[:50], text[50:60], text[60:]):
        with path.open("a") as file:
            file.write(piece)
        lines, places = runtime_logs.newer(tmp_path, Wanted(), places, limit=10)
        found += [each.message for each in lines]

    assert found == ["one", "two"]
    assert places == {"web": (1, path.stat().st_size)}


def test_what_is_written_meanwhile_does_not_shift_the_pages(tmp_path: Path):
    put(tmp_path, "web", 1, [line(n, f"line {n}") for n in range(10)])
    first = runtime_logs.newest(tmp_path, Wanted(), limit=4)
    put(tmp_path, "web", 1, [line(n, f"line {n}") for n in range(20)])
    put(tmp_path, "late", 1, [line(3, "of a process that came later")])
    second = runtime_logs.newest(tmp_path, Wanted(), limit=4, cursor=first.cursor)

    assert [one.message for one in first.lines] == [f"line {n}" for n in (9, 8, 7, 6)]
    assert [one.message for one in second.lines] == [f"line {n}" for n in (5, 4, 3, 2)]


def test_pages_go_on_when_files_were_removed_meanwhile(tmp_path: Path):
    for number in (1, 2, 3):
        put(tmp_path, "web", number, [line(number * 10 + n, f"{number}.{n}") for n in range(3)])
    first = runtime_logs.newest(tmp_path, Wanted(), limit=4)
    runtime_log.segment(tmp_path, "web", 1).path.unlink()
    rest = runtime_logs.newest(tmp_path, Wanted(), limit=9, cursor=first.cursor)

    assert [one.message for one in rest.lines] == ["2.1", "2.0"]
    assert rest.cursor is None


def test_halves_of_lines_and_strange_files_are_passed_over(tmp_path: Path):
    tmp_path.joinpath("web.000001.log").write_bytes(
        line(1, "good").encode() + b"\n2026-11-\n\n\xff\xfe\n" + line(2, "\x00bytes").encode()
        + b"\xff\n" + line(3, "not finished").encode()
    )  # fmt: skip
    tmp_path.joinpath("web.log").write_text("old")
    tmp_path.joinpath("a b.000001.log").write_text("strange")

    found = runtime_logs.newest(tmp_path, Wanted(), limit=10)

    assert [one.message for one in found.lines] == ["\x00bytes\ufffd", "good"]
    assert runtime_logs.newest(tmp_path / "none", Wanted(), limit=10).lines == []


@pytest.mark.parametrize("cursor", ["x", "web.1", "../x.1.1", "web.1.1~", "web.1.99999999999999"])
def test_a_cursor_that_is_none_is_refused(tmp_path: Path, cursor: str):
    with pytest.raises(BadCursor):
        runtime_logs.newest(tmp_path, Wanted(), limit=1, cursor=cursor)


def test_what_is_new_comes_once_and_in_order(tmp_path: Path):
    log = AppLog(tmp_path, "web", Keep(file_bytes=400, files=9, bytes_per_second=1 << 30))
    log.feed(b"before\n")
    places = runtime_logs.ends(tmp_path)
    seen: list[str] = []
    other = AppLog(tmp_path, "worker")
    for number in range(30):
        log.feed(b"line %d\n" % number)
        if number == 7:
            other.feed(b"another\n")
        lines, places = runtime_logs.newer(tmp_path, Wanted(), places, limit=1000)
        seen += [one.message for one in lines]
    log.close()
    other.close()

    assert seen == [
        *(f"line {n}" for n in range(8)),
        "another",
        *(f"line {n}" for n in range(8, 30)),
    ]


async def test_the_stream_begins_with_the_last_lines_and_can_be_resumed(tmp_path: Path):
    log = AppLog(tmp_path, "web")
    log.feed(b"one\ntwo error: x\nthree\n")

    async def is_seen() -> bool:
        return True

    def listen(places: runtime_logs.Places | None, wanted: Wanted):
        return runtime_routes.follow(tmp_path, wanted, places=places, last=2, is_seen=is_seen)

    stream = listen(None, Wanted())
    assert b"connected" in await anext(stream)
    first = await anext(stream)
    assert [message(one) for one in first.split(b"\n\n") if one] == ["two error: x", "three"]
    log.feed(b"four\n")
    fourth = await anext(stream)
    assert message(fourth.strip()) == "four"
    await stream.aclose()
    log.feed(b"five\nsix: ERROR\n")
    place = fourth.split(b"id: ")[1].split(b"\n")[0].decode()
    again = listen(runtime_logs.parse(place), Wanted(level="error"))
    await anext(again)
    assert message((await anext(again)).strip()) == "six: ERROR"
    await again.aclose()
    log.close()


def message(event: bytes) -> str:
    return json.loads(event.split(b"data: ")[1])["message"]


@pytest.fixture
async def deployment(
    client: httpx2.AsyncClient, project: Project, source: Source, settings: Settings
) -> str:
    body = {"projectId": ids.public("proj", project.id), "sourceId": ids.public("src", source.id)}
    made = (await client.post(URL, json=body)).json()["data"]["id"]
    where = runtime_log.folder(settings.folder, made)
    put(where, "web", 1, [line(n, f"GET /orders/{n}") for n in range(50)])
    put(where, "worker", 1, [line(60, "KeyError: 'x'", "E"), line(70, "done")])
    return made


async def test_the_api_searches_by_text_level_process_and_time(
    client: httpx2.AsyncClient, deployment: str
):
    async def ask(**params: str | int) -> httpx2.Response:
        return await client.get(f"{URL}/{deployment}/logs/runtime", params=params)

    newest = (await ask(limit=2)).json()
    assert [one["message"] for one in newest["data"]] == ["done", "KeyError: 'x'"]
    assert newest["data"][0] | {"time": ""} == {
        "time": "",
        "process": "worker",
        "level": "info",
        "message": "done",
    }
    cursor = newest["meta"]["pagination"]["cursor"]
    older = (await ask(limit=2, cursor=cursor)).json()["data"]
    assert [one["message"] for one in older] == ["GET /orders/49", "GET /orders/48"]
    assert len((await ask(search="ORDERS/4")).json()["data"]) == 11
    assert len((await ask(level="error")).json()["data"]) == 1
    assert len((await ask(process="web", limit=5000)).json()["data"]) == 50
    since, until = "2026-11-21T11:00:10+01:00", "2026-11-21T10:00:12Z"
    assert len((await ask(since=since, until=until)).json()["data"]) == 3
    wrong: Mapping[str, str | int]
    for wrong in (
        {"cursor": "nonsense"},
        {"level": "loud"},
        {"process": "../web"},
        {"limit": 0},
        {"since": "yesterday"},
        {"search": ""},
        {"search": "x" * 201},
    ):
        assert (await ask(**wrong)).status_code in (400, 422), wrong


async def test_the_kept_lines_can_be_downloaded(client: httpx2.AsyncClient, deployment: str):
    answer = await client.get(f"{URL}/{deployment}/logs/runtime/download?process=worker")

    assert answer.headers["content-type"].startswith("text/plain")
    assert f'filename="{deployment}-worker.log"' in answer.headers["content-disposition"]
    assert answer.text.splitlines() == [
        "2026-11-21T10:01:00.000Z worker error: KeyError: 'x'",
        "2026-11-21T10:01:10.000Z worker info: done",
    ]
