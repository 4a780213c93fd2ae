"""Apps are started, watched, switched, drained and ended by what is in `sites/`."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.edge.client import Answer, Client, fetch, head
from tests.edge.running import Edge, eventually, put_app, put_release

from windlass.edge.health import Probe

pytestmark = pytest.mark.anyio


async def control(edge: Edge, method: str, path: str, **fields: object) -> tuple[int, dict]:
    reader, writer = await asyncio.open_unix_connection(str(edge.home / "run" / "edge.sock"))
    client = Client(reader, writer)
    body = json.dumps(fields).encode() if fields else None
    answer = await client.ask(path, method=method, body=body)
    await client.close()
    return answer.status, json.loads(answer.body)


def name(answer: Answer) -> str:
    assert answer.status == 200, answer
    return json.loads(answer.body)["name"]


def pid(answer: Answer) -> int:
    assert answer.status == 200, answer
    return json.loads(answer.body)["pid"]


def state(edge: Edge, deployment: str) -> str | None:
    status = edge.supervisor.status().get(deployment)
    return status.state if status else None


async def test_a_linked_app_is_started_without_a_visitor(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    assert (await control(edge, "POST", "/refresh"))[0] == 200

    await eventually(lambda: state(edge, "depl_1") == "running")


async def test_a_new_link_is_noticed_without_being_told(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")

    await eventually(lambda: state(edge, "depl_1") == "running")


async def test_warming_starts_a_release_and_says_how_long_it_took(edge: Edge):
    put_app(edge.home, "depl_1")

    status, answer = await control(edge, "POST", "/warm", deployment="depl_1", deadline_seconds=120)

    assert (status, answer["ok"]) == (200, True)
    assert answer["seconds"] >= 0
    assert state(edge, "depl_1") == "running"


async def test_warming_a_running_app_asks_it_again_and_keeps_its_process(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    before = pid(await fetch(edge.port, "/"))

    assert (await control(edge, "POST", "/warm", deployment="depl_1"))[0] == 200
    assert pid(await fetch(edge.port, "/")) == before


async def test_a_live_app_that_was_warmed_once_more_ends_with_its_host(edge: Edge):
    """As after a restart of the edge in the middle of a switch. It stayed for 90 seconds."""
    for name in ("depl_1", "depl_2"):
        put_app(edge.home, name)
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    assert (await control(edge, "POST", "/warm", deployment="depl_1"))[0] == 200

    edge.switch("depl_2")
    assert (await control(edge, "POST", "/refresh"))[0] == 200

    await eventually(lambda: state(edge, "depl_1") is None, seconds=60)


async def test_warming_a_static_release_only_reads_it(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"x"})

    assert (await control(edge, "POST", "/warm", deployment="depl_1"))[0] == 200


async def test_warming_says_why_an_app_did_not_come_up(edge: Edge):
    script = "import sys; print('cannot find the database'); sys.exit(7)"
    put_app(edge.home, "depl_1", argv=(sys.executable, "-c", script))

    status, answer = await control(edge, "POST", "/warm", deployment="depl_1")

    assert status == 422
    assert "exit code 7" in answer["reason"]
    assert answer["log"][0] == "cannot find the database"
    await eventually(lambda: state(edge, "depl_1") is None)


async def test_warming_needs_answers_below_500(edge: Edge):
    put_app(edge.home, "depl_1", health_path="/status/500")
    put_app(edge.home, "depl_2", health_path="/status/404")

    # Until it is asked at all: a busy machine takes a while to start it.
    for seconds in (1, 5, 25, 125):
        asked = {"deployment": "depl_1", "deadline_seconds": seconds}
        status, bad = await control(edge, "POST", "/warm", **asked)
        assert status == 422
        if "did not listen" not in bad["reason"]:
            break
    assert "500" in bad["reason"]
    assert (await control(edge, "POST", "/warm", deployment="depl_2"))[0] == 200


async def test_warming_an_app_that_never_listens_ends_at_the_deadline(edge: Edge):
    put_app(edge.home, "depl_1", env={"START_SECONDS": "600"})

    status, answer = await control(edge, "POST", "/warm", deployment="depl_1", deadline_seconds=1)

    assert status == 422
    assert "it did not listen" in answer["reason"]
    await eventually(lambda: state(edge, "depl_1") is None)


async def test_a_health_path_that_hangs_is_given_up_at_the_deadline(edge: Edge):
    put_app(edge.home, "depl_1", health_path="/hang")

    status, answer = await control(edge, "POST", "/warm", deployment="depl_1", deadline_seconds=1)

    assert status == 422
    assert "No good answer on /hang within 1 s" in answer["reason"]


async def test_an_app_that_takes_a_request_and_hangs_is_not_said_to_be_deaf(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    app = edge.supervisor.of(edge.server.table.release("depl_1").site, "a.localhost")
    assert app.running is not None
    running, port = app.running, app.site.port
    probe = Probe(lambda: running.dial(port), path="/hang", host="a.localhost")

    asking = asyncio.create_task(probe.is_good())
    await eventually(lambda: probe.last != "it did not listen")
    asking.cancel()

    assert probe.last == "it took a request for /hang and has not answered it"


async def test_warming_what_is_not_there_is_refused(edge: Edge):
    for deployment in ("depl_none", "../../etc"):
        assert (await control(edge, "POST", "/warm", deployment=deployment))[0] == 422
    assert (await control(edge, "POST", "/warm", nonsense=1))[0] == 400
    assert (await control(edge, "POST", "/nonsense"))[0] == 404


async def test_a_visitor_wakes_an_app_and_waits_for_it(edge: Edge):
    put_app(edge.home, "depl_1", env={"START_SECONDS": "0.3"})
    edge.switch("depl_1")

    answers = await asyncio.gather(*(fetch(edge.port, "/") for _ in range(10)))

    assert len({pid(answer) for answer in answers}) == 1


async def test_stopping_returns_when_the_process_is_gone_and_a_visitor_wakes_it(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    before = pid(await fetch(edge.port, "/"))

    assert (await control(edge, "POST", "/stop", deployment="depl_1"))[0] == 200
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert pid(await fetch(edge.port, "/")) != before


async def test_status_tells_about_every_app(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    running = pid(await fetch(edge.port, "/"))

    _, status = await control(edge, "GET", "/status")

    app = status["apps"]["depl_1"]
    assert status["pid"] == os.getpid()
    assert (app["state"], app["pid"], app["in_flight"]) == ("running", running, 0)
    assert app["memory_bytes"] > 1_000_000


async def test_an_app_that_dies_is_started_again(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    before = pid(await fetch(edge.port, "/"))

    os.kill(before, signal.SIGKILL)
    await eventually(lambda: edge.supervisor.status()["depl_1"].restarts == 1)

    assert pid(await fetch(edge.port, "/")) != before


async def test_an_app_that_dies_under_a_request_is_a_502_and_then_lives_again(edge: Edge):
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/crash")).status == 502
    # Until its death is noticed the next visitor may still meet the dying process.
    await eventually(lambda: edge.supervisor.status()["depl_1"].restarts >= 1)

    assert (await fetch(edge.port, "/")).status == 200


async def test_restarts_back_off_and_visitors_are_told_since_when(edge: Edge):
    put_app(edge.home, "depl_1", argv=(sys.executable, "-c", "raise SystemExit(1)"))
    edge.switch("depl_1")
    edge.supervisor.look()
    # 0.05 s doubles with every try; a visitor waits only for the short ones.
    await eventually(lambda: edge.supervisor.status()["depl_1"].restarts >= 7)

    answer = await fetch(edge.port, "/")

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "not running since 20" in answer.text
    assert "exit code" not in answer.text
    assert "exit code 1" in (edge.supervisor.status()["depl_1"].reason or "")


async def test_an_app_that_cannot_be_started_at_all_is_an_error_with_the_site_named(edge: Edge):
    put_app(edge.home, "depl_1", start_timeout_seconds=0.5)
    (edge.home / "releases/depl_1/process.sealed").write_bytes(b"broken")
    edge.switch("depl_1")

    answer = await fetch(edge.port, "/")

    assert (answer.status, answer.headers["x-windlass-deployment"]) == (503, "depl_1")


# Switching


async def test_a_request_that_reached_the_old_release_is_finished_by_it(edge: Edge):
    put_app(edge.home, "depl_1", drain_seconds=120)
    put_app(edge.home, "depl_2")
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    assert (await control(edge, "POST", "/warm", deployment="depl_2"))[0] == 200

    async with await Client.connect(edge.port) as client:
        await client.send(head(f"/until?{edge.home}/over"))
        await eventually(lambda: edge.supervisor.status()["depl_1"].in_flight == 1)
        edge.switch("depl_2")
        await control(edge, "POST", "/refresh")
        assert state(edge, "depl_1") in ("running", "draining")
        assert name(await fetch(edge.port, "/")) == "depl_2"
        (edge.home / "over").touch()
        assert name(await client.answer()) == "depl_1"
        # The same connection belongs to the new release from its next request on.
        assert name(await client.ask("/")) == "depl_2"
    await eventually(lambda: state(edge, "depl_1") is None)


async def test_switching_back_while_draining_keeps_the_process(edge: Edge):
    put_app(edge.home, "depl_1", drain_seconds=120)
    put_app(edge.home, "depl_2")
    edge.switch("depl_1")
    before = pid(await fetch(edge.port, "/"))
    async with await Client.connect(edge.port) as client:
        await client.send(head(f"/until?{edge.home}/over"))
        await eventually(lambda: edge.supervisor.status()["depl_1"].in_flight == 1)
        edge.switch("depl_2")
        await control(edge, "POST", "/refresh")
        edge.switch("depl_1")
        assert pid(await fetch(edge.port, "/")) == before
        (edge.home / "over").touch()
        await client.answer()
    await eventually(lambda: state(edge, "depl_2") is None)
    assert pid(await fetch(edge.port, "/")) == before


async def _visit_until(edge: Edge, stop: asyncio.Event, seen: list[tuple[int, str]]) -> None:
    async with await Client.connect(edge.port) as client:
        while not stop.is_set():
            answer = await client.ask("/")
            seen.append((answer.status, answer.headers["x-windlass-deployment"]))


@pytest.mark.parametrize(("kind", "turns"), [("static", 100), ("server", 20)])
async def test_no_request_fails_while_switches_happen_again_and_again(
    edge: Edge, kind: str, turns: int
):
    for deployment in ("depl_1", "depl_2"):
        if kind == "static":
            put_release(edge.home, deployment, {"index.html": deployment.encode()})
        else:
            put_app(edge.home, deployment)
            await control(edge, "POST", "/warm", deployment=deployment)
    edge.switch("depl_1")
    stop, seen = asyncio.Event(), list[tuple[int, str]]()
    visitors = [asyncio.create_task(_visit_until(edge, stop, seen)) for _ in range(8)]
    for number in range(turns):
        target = f"depl_{number % 2 + 1}"
        if kind == "server":
            assert (await control(edge, "POST", "/warm", deployment=target))[0] == 200
        await asyncio.to_thread(edge.switch, target)
        async with await Client.connect(edge.port) as client:
            assert (await client.ask("/")).headers["x-windlass-deployment"] == target
        end = len(seen) + 20
        await eventually(lambda end=end: len(seen) >= end)
    stop.set()
    await asyncio.gather(*visitors)

    assert len(seen) >= turns * 20
    assert {status for status, _ in seen} == {200}
    assert {deployment for _, deployment in seen} == {"depl_1", "depl_2"}


# Logs


async def test_the_log_has_times_and_no_secrets(edge: Edge):
    secret = "s3cr3t-value"
    put_app(edge.home, "depl_1", env={"TOKEN": secret}, mask=(secret,))
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    await control(edge, "POST", "/stop", deployment="depl_1")

    text = (edge.home / "logs/apps/depl_1/web.000001.log").read_text()

    assert "listening as depl_1 with ********\n" in text
    assert "told to stop" in text
    assert secret not in text
    assert all(line[:2] == "20" and line[23] == "Z" for line in text.splitlines())


async def test_starting_again_resumes_all_apps(home: Path):
    first = Edge(home)
    await first.start()
    for number in range(6):
        put_app(home, f"depl_{number}")
        first.switch(f"depl_{number}", f"app{number}.localhost")
    await first.stop()
    second = Edge(home)
    await second.start()
    states = [f"depl_{number}" for number in range(6)]
    await eventually(lambda: all(state(second, one) == "running" for one in states))
    await second.stop()
