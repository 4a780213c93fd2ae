"""The live log: resumed, polled, interrupted, shown."""

import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel, until
from tests.running import PATIENCE_SECONDS

from windlass.cli.api import Api
from windlass.cli.follow import ServerAway, follow
from windlass.cli.schemas import Deployment, LogLine

Start = Callable[..., subprocess.Popen[str]]


def running(panel: Panel, *, lines: int) -> dict[str, object]:
    panel.script = [("info", "build", f"line {number}") for number in range(lines)]
    deployment = panel.add_deployment(panel.add_project("shop"), status="queued")
    threading.Thread(target=panel.run, args=(deployment,), daemon=True).start()
    return deployment


def test_a_broken_stream_is_resumed_after_the_last_line(panel: Panel, api: Api) -> None:
    """C-127: replay, resume with Last-Event-ID, end at the final state."""
    panel.holds = True
    deployment = running(panel, lines=5)
    until(lambda: len(panel.logs[str(deployment["id"])]) == 5)
    panel.drop_stream_after = 2
    seen: list[int] = []
    for event in follow(api, str(deployment["id"]), pause=lambda _: None):
        if isinstance(event, LogLine):
            seen.append(event.seq)
        if len(seen) == 5 and panel.holds:
            with panel.changed:
                panel.holds = False
                panel.changed.notify_all()

    assert seen == [0, 1, 2, 3, 4]
    streams = [call for call in panel.calls if call.path.endswith("/stream")]
    assert "last-event-id" not in streams[0].headers
    assert len(streams) == 2
    assert int(streams[1].headers["last-event-id"]) >= 1


def test_without_streams_the_log_is_polled(panel: Panel, api: Api) -> None:
    panel.streams = False
    deployment = running(panel, lines=3)
    events = list(follow(api, str(deployment["id"]), pause=lambda _: threading.Event().wait(0.01)))

    assert [one.seq for one in events if isinstance(one, LogLine)] == [0, 1, 2]
    assert isinstance(events[-1], Deployment)
    assert events[-1].status == "ready"


def test_a_server_that_is_away_for_a_moment_is_waited_for(panel: Panel, api: Api) -> None:
    deployment = running(panel, lines=3)
    until(lambda: deployment["status"] == "ready")
    panel.failures = [(503, {})] * 6
    troubles: list[str] = []
    events = list(
        follow(api, str(deployment["id"]), pause=lambda _: None, on_trouble=troubles.append)
    )

    assert [one.seq for one in events if isinstance(one, LogLine)] == [0, 1, 2]
    assert len(troubles) <= 1


def test_a_server_that_stays_away_is_given_up() -> None:
    now = iter(range(0, 10_000, 50))
    with Api("http://127.0.0.1:9", "t") as api, pytest.raises(ServerAway, match="180 s"):
        list(follow(api, "depl_1", pause=lambda _: None, clock=lambda: float(next(now))))


def deploying(panel: Panel, start: Start, *words: str) -> tuple[subprocess.Popen[str], str]:
    """A deployment whose log the program is showing right now."""
    panel.holds = True
    process = start("deploy", *words)
    until(lambda: bool(panel.deployments))
    (deployment_id,) = panel.deployments
    until(lambda: any(call.path.endswith("/stream") for call in panel.calls))
    until(lambda: len(panel.logs[deployment_id]) == 3)
    return process, deployment_id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_deployment_and_exits_130(
    panel: Panel, site: Path, start: Start, number: signal.Signals
) -> None:
    process, deployment_id = deploying(panel, start)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert panel.deployments[deployment_id]["status"] == "cancelled"
    assert f"Cancelling {deployment_id}" in errors
    assert "Traceback" not in errors


def test_an_interrupted_deploy_with_json_ends_with_the_cancelled_deployment(
    panel: Panel, site: Path, start: Start
) -> None:
    process, _ = deploying(panel, start, "--json")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert json.loads(out.splitlines()[-1])["status"] == "cancelled"


def test_a_second_interrupt_leaves_at_once(panel: Panel, site: Path, start: Start) -> None:
    process, deployment_id = deploying(panel, start)
    with panel.changed:  # The server cannot answer the cancellation now.
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "Cancelling" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 130
        assert panel.deployments[deployment_id]["status"] == "building"


def test_an_interrupt_while_the_deployment_is_made_still_cancels_it(
    panel: Panel, site: Path, start: Start
) -> None:
    panel.holds = True
    panel.may_create.clear()
    process = start("deploy")
    until(lambda: "/api/deployments" in panel.paths("POST"))
    process.send_signal(signal.SIGINT)
    panel.may_create.set()
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    (deployment,) = panel.deployments.values()
    assert deployment["status"] == "cancelled"


def test_an_interrupted_upload_leaves_without_waiting_for_the_server(
    panel: Panel, site: Path, start: Start
) -> None:
    panel.may_upload.clear()
    process = start("deploy")
    until(lambda: "/api/blobs" in panel.paths("POST"))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    panel.may_upload.set()

    assert process.returncode == 130
    assert errors == "Interrupted.\n"
    assert not panel.projects


def test_following_a_log_and_leaving_does_not_cancel(
    panel: Panel, site: Path, start: Start
) -> None:
    panel.holds = True
    deployment = running(panel, lines=1)
    process = start("logs", str(deployment["id"]), "--follow")
    until(lambda: any(call.path.endswith("/stream") for call in panel.calls))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert deployment["status"] == "building"


def test_the_log_is_shown_in_phases_with_durations(run: Run, site: Path, panel: Panel) -> None:
    lines = run("deploy").stdout.splitlines()

    start = lines.index("> install")
    assert lines[start : start + 7] == [
        "> install",
        "  installing",
        "  install took 1.0 s",
        "> build",
        "  a warning",
        "  built",
        "  build took 1.0 s",
    ]


def test_logs_of_the_newest_deployment_by_level_and_number(
    run: Run, site: Path, panel: Panel
) -> None:
    run("deploy")

    assert "installing" in run("logs").stdout
    assert "installing" not in run("logs", "--level", "warn").stdout
    assert run("logs", "-n", "1").stdout.splitlines()[:2] == ["> build", "  built"]
    assert [one["seq"] for one in last_json(run("logs", "--json"))] == [0, 1, 2]


def wrote(panel: Panel, process: str, message: str) -> None:
    line = {"time": "2026-02-01T00:00:00Z", "process": process, "level": "info", "message": message}
    with panel.changed:
        panel.output.append(line)
        panel.changed.notify_all()


def test_what_the_application_writes_is_shown_by_process_and_text(
    run: Run, site: Path, panel: Panel
) -> None:
    run("deploy")
    for process, message in (("web", "listening"), ("worker", "at work"), ("web", "GET / 200")):
        wrote(panel, process, message)

    shown = run("logs", "--runtime").stdout
    assert shown == "web | listening\nworker | at work\nweb | GET / 200\n"
    assert run("logs", "--runtime", "-n", "1").stdout == "web | GET / 200\n"
    assert run("logs", "--process", "web").stdout == "listening\nGET / 200\n"
    assert run("logs", "--search", "work").stdout == "worker | at work\n"
    assert [one["message"] for one in last_json(run("logs", "--runtime", "--json"))] == [
        "listening",
        "at work",
        "GET / 200",
    ]


def test_what_the_application_writes_is_followed_over_a_lost_connection(
    run: Run, start: Start, site: Path, panel: Panel
) -> None:
    run("deploy")
    wrote(panel, "web", "one")
    panel.drop_stream_after = 2
    process = start("logs", "-f", "--runtime")
    assert process.stdout is not None
    assert process.stdout.readline() == "web | one\n"
    wrote(panel, "web", "two")
    assert process.stdout.readline() == "web | two\n"
    wrote(panel, "worker", "three")
    assert process.stdout.readline() == "worker | three\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    asked = [call for call in panel.calls if call.path.endswith("/logs/runtime/stream")]
    assert [call.headers.get("last-event-id") for call in asked] == [None, "2"]


def test_following_stays_with_the_application_when_nothing_is_built(
    run: Run, start: Start, site: Path, panel: Panel
) -> None:
    run("deploy")
    for deployment in panel.deployments.values():
        deployment["plan"] = {"kind": "server"}
    wrote(panel, "web", "one")
    process = start("logs", "-f")
    assert process.stdout is not None
    assert process.stdout.readline() == "web | one\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)


def test_logs_without_any_deployment_say_so(run: Run, site: Path, panel: Panel) -> None:
    panel.add_project("shop")
    assert "no deployment yet" in run("logs", "--project", "shop", code=1).stderr


def test_a_log_cannot_play_with_the_terminal(run: Run, site: Path, panel: Panel) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m 10%\r100%\x00"
    panel.script = [("info", "build", evil)]

    assert "\x1b" not in (out := run("deploy").stdout)
    assert "  100%" in out.splitlines()


def on_terminal(words: list[str], environment: dict[str, str]) -> str:
    """Runs the program on a pseudo-terminal and returns what it showed."""
    import sys

    ours, theirs = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(
        [sys.executable, "-m", "windlass.cli", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    ) as process:
        os.close(theirs)
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
        process.wait(timeout=PATIENCE_SECONDS)
    os.close(ours)
    return shown.decode()


def test_a_bar_is_drawn_only_while_much_is_sent(site: Path, panel: Panel) -> None:
    (site / "video.bin").write_bytes(os.urandom(9 << 20))
    first = on_terminal(["deploy"], {"TERM": "xterm", "NO_COLOR": ""})
    second = on_terminal(["deploy"], {"TERM": "xterm", "NO_COLOR": ""})

    assert "Uploading" in first
    assert first.count("\x1b[?25l") == first.count("\x1b[?25h") == 1
    assert "Uploading" not in second
    assert panel.paths("PUT")


def test_levels_are_coloured_on_a_terminal_unless_no_color_is_set(site: Path, panel: Panel) -> None:
    coloured = on_terminal(["deploy"], {"TERM": "xterm", "NO_COLOR": ""})
    bare = on_terminal(["deploy"], {"TERM": "xterm", "NO_COLOR": "1"})

    assert re.search(r"\x1b\[33m\s*a warning", coloured)
    assert re.search(r"\x1b\[32m\s*built", coloured)
    assert "\x1b" not in bare
