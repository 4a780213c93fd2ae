"""Processes beside `web`: they live as long as their release is live, and as their policy says."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.edge.client import fetch
from tests.edge.running import Edge, eventually, put_app, put_release, start_locally, worker
from tests.edge.test_apps import control

from windlass.core import links
from windlass.core import site as sites
from windlass.core.process import Process
from windlass.edge.crew import WorkerStatus
from windlass.edge.runner import Running

pytestmark = pytest.mark.anyio

WAITS = "import time; print('at work'); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('no, thanks'));"
    " print('at work');\nwhile True: time.sleep(1)"
)


def seen(edge: Edge, deployment: str, name: str = "worker") -> WorkerStatus | None:
    app = edge.supervisor.status().get(deployment)
    return app.processes.get(name) if app else None


def state(edge: Edge, deployment: str, name: str = "worker") -> str | None:
    status = seen(edge, deployment, name)
    return status.state if status else None


def said(home: Path, deployment: str, name: str = "worker") -> str:
    path = home / "logs" / "apps" / deployment / f"{name}.000001.log"
    return path.read_text() if path.exists() else ""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_workers_run_while_their_release_is_live_and_not_while_it_is_tried(edge: Edge):
    put_app(edge.home, "depl_1", workers=(worker(WAITS), worker(WAITS, "clock")))

    assert (await control(edge, "POST", "/warm", deployment="depl_1"))[0] == 200
    assert edge.supervisor.status()["depl_1"].processes == {}
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")

    await eventually(lambda: "at work" in said(edge.home, "depl_1"))
    await eventually(lambda: "at work" in said(edge.home, "depl_1", "clock"))
    _, status = await control(edge, "GET", "/status")
    told = status["apps"]["depl_1"]["processes"]["worker"]
    assert (told["state"], told["restarts"], told["reason"]) == ("running", 0, None)
    assert told["memory_bytes"] > 100_000


async def test_a_switch_ends_the_old_workers_and_starts_the_new_ones(edge: Edge):
    for deployment in ("depl_1", "depl_2"):
        put_app(edge.home, deployment, workers=(worker(WAITS),))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")
    await eventually(lambda: "at work" in said(edge.home, "depl_1"))
    status = seen(edge, "depl_1")
    assert status is not None
    assert status.pid
    assert (await control(edge, "POST", "/warm", deployment="depl_2"))[0] == 200

    edge.switch("depl_2")
    # The first visitor shows the edge that the release is live; nobody has to tell it.
    assert (await fetch(edge.port, "/")).headers["x-windlass-deployment"] == "depl_2"

    await eventually(lambda: "at work" in said(edge.home, "depl_2"))
    await eventually(lambda: not is_alive(status.pid or 0))
    await eventually(lambda: "depl_1" not in edge.supervisor.status())


async def test_switching_back_never_has_two_of_one_worker(edge: Edge):
    stubborn = worker(STUBBORN, grace_seconds=0.3)
    put_app(edge.home, "depl_1", workers=(stubborn,))
    put_app(edge.home, "depl_2")
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")
    await eventually(lambda: "at work" in said(edge.home, "depl_1"))
    status = seen(edge, "depl_1")
    assert status is not None
    assert status.pid

    edge.switch("depl_2")
    await control(edge, "POST", "/refresh")
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")

    # The second one says so only after the first, which heard SIGTERM and stayed, was killed.
    await eventually(lambda: said(edge.home, "depl_1").count("at work") == 2)
    assert not is_alive(status.pid)


async def test_a_worker_that_dies_is_started_again(edge: Edge):
    put_app(edge.home, "depl_1", workers=(worker(WAITS),))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")
    await eventually(lambda: "at work" in said(edge.home, "depl_1"))
    status = seen(edge, "depl_1")
    assert status is not None
    assert status.pid

    os.kill(status.pid, signal.SIGKILL)

    await eventually(lambda: said(edge.home, "depl_1").count("at work") == 2)
    again = seen(edge, "depl_1")
    assert again is not None
    assert again.restarts == 1
    assert "Ended by signal 9. The next try is in 0.05 s." in said(edge.home, "depl_1")


async def test_a_worker_that_fails_again_and_again_is_given_up_and_web_serves_on(edge: Edge):
    fails = worker("print('no database'); raise SystemExit(3)", restart="on-failure", tries=3)
    put_app(edge.home, "depl_1", workers=(fails,))
    edge.switch("depl_1")
    web = (await fetch(edge.port, "/")).text

    await eventually(lambda: state(edge, "depl_1") == "failed")

    status = seen(edge, "depl_1")
    assert status is not None
    assert (status.pid, status.restarts) == (None, 2)
    assert status.reason == "Ended with exit code 3."
    assert said(edge.home, "depl_1").count("no database") == 3
    assert "given up after 3 failures in a row" in said(edge.home, "depl_1")
    # It stays given up, however often the edge looks.
    await control(edge, "POST", "/refresh")
    assert state(edge, "depl_1") == "failed"
    assert (await fetch(edge.port, "/")).status == 200
    assert '"pid"' in web


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [("on-failure", 0, "finished"), ("never", 0, "finished"), ("never", 4, "failed")],
)
async def test_a_worker_that_has_ended_is_left_alone_when_its_policy_says_so(
    edge: Edge, policy: str, code: int, expected: str
):
    once = worker(f"print('done'); raise SystemExit({code})", restart=policy)
    put_app(edge.home, "depl_1", workers=(once,))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")

    await eventually(lambda: state(edge, "depl_1") == expected)

    assert said(edge.home, "depl_1").count("done") == 1
    assert f"not started again (restart: {policy})" in said(edge.home, "depl_1")


async def test_a_worker_that_cannot_be_started_is_tried_again(edge: Edge):
    missing = worker("")
    missing = type(missing)(
        launch=type(missing.launch)(name="x", argv=("/no/such",)), name="worker"
    )
    put_app(edge.home, "depl_1", workers=(missing,))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")

    await eventually(lambda: (s := seen(edge, "depl_1")) is not None and s.restarts >= 2)

    assert "could not be started" in said(edge.home, "depl_1")
    assert (await fetch(edge.port, "/")).status == 200


async def test_a_fault_of_ours_at_a_start_is_said_and_it_is_tried_again(home: Path):
    tried: set[str] = set()

    async def start(process: Process, on_output: Callable[[bytes], None]) -> Running:
        if process.name not in tried:
            tried.add(process.name)
            raise ImportError("no such module")
        return await start_locally(process, on_output)

    edge = Edge(home, start=start)
    await edge.start()
    put_app(home, "depl_1", workers=(worker(WAITS),))
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/")).status == 200
    await eventually(lambda: "at work" in said(home, "depl_1"))
    for name in ("web", "worker"):
        assert "a fault of Windlass: ImportError('no such module')" in said(home, "depl_1", name)
    await edge.stop()


async def test_stopping_an_app_stops_its_workers_and_a_visitor_wakes_both(edge: Edge):
    put_app(edge.home, "depl_1", workers=(worker(WAITS),))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")
    await eventually(lambda: "at work" in said(edge.home, "depl_1"))
    status = seen(edge, "depl_1")
    assert status is not None
    assert status.pid

    assert (await control(edge, "POST", "/stop", deployment="depl_1"))[0] == 200

    assert not is_alive(status.pid)
    assert (await fetch(edge.port, "/")).status == 200
    await eventually(lambda: said(edge.home, "depl_1").count("at work") == 2)


async def test_a_release_that_no_host_shows_any_more_loses_its_workers(edge: Edge):
    put_app(edge.home, "depl_1", workers=(worker(STUBBORN, grace_seconds=0.2),))
    edge.switch("depl_1")
    await control(edge, "POST", "/refresh")
    await eventually(lambda: "at work" in said(edge.home, "depl_1"))

    links.unlink(edge.home, "a.localhost", edge.generation + 1)
    await control(edge, "POST", "/refresh")

    await eventually(lambda: "depl_1" not in edge.supervisor.status())


def put_workers(edge: Edge, deployment: str, *workers: Process) -> None:
    """A release of workers alone."""
    put_app(edge.home, deployment, workers=workers)
    folder = sites.folder(edge.home, deployment)
    known = sites.read(folder)
    sites.write(folder, msgspec.structs.replace(known, kind="worker"))


async def test_workers_without_a_web_process_run_and_their_address_says_so(edge: Edge):
    put_workers(edge, "depl_1", worker(WAITS))
    assert (await control(edge, "POST", "/warm", deployment="depl_1"))[0] == 200
    assert (await control(edge, "POST", "/settle", deployment="depl_1", steady_seconds=0.2))[
        0
    ] == 422
    assert said(edge.home, "depl_1") == ""

    edge.switch("depl_1")
    code, _ = await control(edge, "POST", "/settle", deployment="depl_1", steady_seconds=0.2)

    assert code == 200
    answer = await fetch(edge.port, "/")
    assert (answer.status, answer.headers["x-windlass-deployment"]) == (404, "depl_1")
    assert b"This project runs workers" in answer.body
    _, status = await control(edge, "GET", "/status")
    told = status["apps"]["depl_1"]
    assert (told["state"], told["pid"], told["processes"]["worker"]["state"]) == (
        "running",
        None,
        "running",
    )
    assert told["memory_bytes"] > 100_000


async def test_a_worker_that_fails_says_which_and_why(edge: Edge):
    put_workers(edge, "depl_1", worker(WAITS), worker("print('no money'); exit(3)", "payer"))
    edge.switch("depl_1")

    code, told = await control(edge, "POST", "/settle", deployment="depl_1", steady_seconds=60)

    assert code == 422
    assert told["reason"].startswith("payer: Ended with exit code 3")
    assert any("no money" in line for line in told["log"])


async def test_workers_alone_end_with_their_last_host(edge: Edge):
    put_workers(edge, "depl_1", worker(WAITS), worker("pass", "once", restart="on-failure"))
    put_release(edge.home, "depl_2", {"index.html": b"x"})
    edge.switch("depl_1")
    code, _ = await control(edge, "POST", "/settle", deployment="depl_1", steady_seconds=0.2)
    assert code == 200
    status = seen(edge, "depl_1")
    assert status is not None
    assert status.pid

    edge.switch("depl_2")
    await control(edge, "POST", "/refresh")

    await eventually(lambda: not is_alive(status.pid or 0))
    await eventually(lambda: "depl_1" not in edge.supervisor.status())
