"""What visitors got is counted for each release; the worker's own look is not."""

import pytest
from tests.edge.client import fetch
from tests.edge.running import Edge, put_app, put_release
from tests.edge.test_apps import control

pytestmark = pytest.mark.anyio


async def counted(edge: Edge, *names: str) -> dict[str, tuple[int, int]]:
    status, answer = await control(edge, "POST", "/traffic", deployments=list(names))
    assert status == 200
    assert answer["run"]
    for found in answer["tallies"].values():
        assert sum(found["buckets"]) == found["requests"]
    return {name: (found["requests"], found["failed"]) for name, found in answer["tallies"].items()}


async def test_files_are_counted_and_a_look_is_not(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"one"})
    edge.switch("depl_1")

    for _ in range(3):
        await fetch(edge.port, "/")
    await fetch(edge.port, "/missing")
    await fetch(edge.port, "/", X_Windlass_Look="1")

    assert await counted(edge, "depl_1", "depl_2") == {"depl_1": (4, 0), "depl_2": (0, 0)}


async def test_answers_of_an_app_are_counted_by_the_release_that_gave_them(edge: Edge):
    for name in ("depl_1", "depl_2"):
        put_app(edge.home, name)
    edge.switch("depl_1")
    for path in ("/", "/status/500", "/status/404"):
        await fetch(edge.port, path)
    edge.switch("depl_2")
    await fetch(edge.port, "/")
    await fetch(edge.port, "/status/503")

    assert await counted(edge, "depl_1", "depl_2") == {"depl_1": (3, 1), "depl_2": (2, 1)}


async def test_an_app_that_does_not_start_has_failed_its_visitors(edge: Edge):
    put_app(edge.home, "depl_1", argv=("/bin/false",), start_timeout_seconds=0.5)
    edge.switch("depl_1")

    answer = await fetch(edge.port, "/")

    assert answer.status == 503
    assert await counted(edge, "depl_1") == {"depl_1": (1, 1)}


@pytest.mark.parametrize("body", [{}, {"deployments": "x"}, {"deployments": [1]}])
async def test_a_question_that_is_none_is_refused(edge: Edge, body: dict[str, object]):
    status, answer = await control(edge, "POST", "/traffic", **body)

    assert (status, answer["ok"]) == (400, False)
