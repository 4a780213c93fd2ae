"""Previews at the edge: they sleep when nobody comes, and may ask for a password."""

import json
import os
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.edge.client import Answer, fetch
from tests.edge.running import Edge, eventually, put_app, put_release

from windlass.auth import passwords
from windlass.core import guard as guards
from windlass.core.guard import Guard
from windlass.edge.app import App

pytestmark = pytest.mark.anyio
PASSWORD = "Correct horse battery"
GUARD = guards.of(passwords.hash_now(PASSWORD))
HOST = "a.localhost"


def app_of(edge: Edge, deployment: str = "depl_1") -> App:
    return edge.supervisor._apps[deployment]


def state(edge: Edge) -> str | None:
    found = edge.supervisor.status().get("depl_1")
    return found.state if found else None


async def test_a_preview_that_nobody_asks_for_sleeps_and_wakes_for_the_next_visitor(
    edge: Edge,
) -> None:
    put_app(edge.home, "depl_1", preview=True, idle_seconds=600)
    edge.switch("depl_1")
    first = json.loads((await fetch(edge.port, "/")).body)["pid"]
    edge.supervisor.rest()
    assert state(edge) == "running"

    app_of(edge).used_at -= 601
    edge.supervisor.rest()
    # It comes while the process is being ended, and is not sent to that one.
    answer = await fetch(edge.port, "/")

    assert answer.status == 200
    assert json.loads(answer.body)["pid"] != first
    app_of(edge).used_at -= 601
    edge.supervisor.rest()
    await eventually(lambda: state(edge) == "asleep")
    edge.supervisor.look()
    assert state(edge) == "asleep"
    assert (await fetch(edge.port, "/")).status == 200


async def test_who_is_being_answered_keeps_it_awake(edge: Edge) -> None:
    put_app(edge.home, "depl_1", preview=True, idle_seconds=600)
    edge.switch("depl_1")
    await fetch(edge.port, "/")
    app = app_of(edge)

    with app.visit():
        app.used_at -= 601
        assert not app.is_idle(time.monotonic())
    assert not app.is_idle(time.monotonic())
    assert app.is_idle(time.monotonic() + 601)


async def test_a_production_app_never_sleeps(edge: Edge) -> None:
    put_app(edge.home, "depl_1")
    edge.switch("depl_1")
    await fetch(edge.port, "/")

    assert not app_of(edge).is_idle(time.monotonic() + 1e9)


async def test_a_restarted_edge_wakes_no_preview(home: Path) -> None:
    put_app(home, "depl_1", preview=True, idle_seconds=600)
    edge = Edge(home)
    edge.switch("depl_1")
    await edge.start()
    try:
        await eventually(lambda: state(edge) == "asleep")
        assert (await fetch(edge.port, "/")).status == 200
    finally:
        await edge.stop()


# The password


def locked(edge: Edge, *, guard: Guard | None = GUARD, kind: str = "static") -> None:
    """A preview, and its project's password."""
    if kind == "static":
        put_release(edge.home, "depl_1", {"index.html": b"secret"}, preview=True, project="proj_1")
    else:
        put_app(edge.home, "depl_1", preview=True, project="proj_1")
    guards.write(edge.home, "proj_1", guard)
    edge.switch("depl_1")


async def ask(edge: Edge, path: str = "/", **headers: str) -> Answer:
    return await fetch(edge.port, path, accept="text/html", **headers)


async def unlock(edge: Edge, password: str, after: str = "/", **more: str) -> Answer:
    body = urlencode({"password": password, "next": after}).encode()
    return await fetch(
        edge.port,
        "/.windlass/unlock",
        method="POST",
        body=body,
        content_type="application/x-www-form-urlencoded",
        **more,
    )


@pytest.mark.parametrize("kind", ["static", "server"])
async def test_without_the_password_there_is_a_form_and_nothing_else(edge: Edge, kind: str) -> None:
    locked(edge, kind=kind)

    page, words = await ask(edge, "/a?b=1&c=%22"), await fetch(edge.port, "/")
    posted = await fetch(edge.port, "/api", method="POST", body=b"x=1")

    assert [page.status, words.status, posted.status] == [401, 401, 401]
    assert b"secret" not in page.body + words.body
    assert b'name="next" value="/a?b=1&amp;c=%22"' in page.body
    assert page.headers["x-robots-tag"] == "noindex"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    # The worker sees by this that the switch was right.
    assert page.headers["x-windlass-deployment"] == "depl_1"
    assert state(edge) in (None, "running", "starting")


@pytest.mark.parametrize("kind", ["static", "server"])
async def test_the_password_opens_this_host_and_no_other(edge: Edge, kind: str) -> None:
    locked(edge, kind=kind)

    answer = await unlock(edge, PASSWORD, "/a?b=1")

    assert (answer.status, answer.headers["location"]) == (303, "/a?b=1")
    line = answer.headers["set-cookie"]
    assert "HttpOnly" in line
    assert "Domain" not in line
    assert "Secure" not in line
    cookie = line.partition(";")[0]
    assert (await ask(edge, cookie=f"other=1; {cookie}; more=2")).status == 200
    edge.switch("depl_1", host="other.localhost")
    elsewhere = await fetch(edge.port, "/", host="other.localhost", cookie=cookie)
    assert elsewhere.status == 401


async def test_cookies_that_were_not_given_open_nothing(edge: Edge) -> None:
    locked(edge)
    now = int(time.time())
    good = guards.sign(GUARD, HOST, now + 60)
    moment, _, digest = good.partition(".")
    wrong = [
        guards.sign(GUARD, HOST, now - 1),
        guards.sign(GUARD, "other.localhost", now + 60),
        guards.sign(guards.of("another"), HOST, now + 60),
        f"{int(moment) + 1}.{digest}",
        f"{moment}.",
        f"{moment}.{digest[:-1]}",
        "." + digest,
        "",
    ]

    assert (await ask(edge, cookie=f"windlass_preview={good}")).status == 200
    for text in wrong:
        assert (await ask(edge, cookie=f"windlass_preview={text}")).status == 401, text


async def test_a_new_password_ends_what_the_old_one_opened(edge: Edge) -> None:
    locked(edge)
    cookie = (await unlock(edge, PASSWORD)).headers["set-cookie"].partition(";")[0]
    assert (await ask(edge, cookie=cookie)).status == 200

    guards.write(edge.home, "proj_1", guards.of(passwords.hash_now("Another one")))
    assert (await ask(edge, cookie=cookie)).status == 401
    guards.write(edge.home, "proj_1", None)
    assert (await ask(edge)).body == b"secret"


async def test_a_guard_that_cannot_be_read_lets_nobody_in(edge: Edge) -> None:
    locked(edge)
    guards.place(edge.home, "proj_1").write_text("{")

    answer = await ask(edge)

    assert answer.status == 500
    assert b"secret" not in answer.body


@pytest.mark.parametrize("after", ["//evil.example", "/\\evil.example", "https://x", "/a\r\nb: c"])
async def test_the_form_leads_to_no_other_host(edge: Edge, after: str) -> None:
    locked(edge)

    assert (await unlock(edge, PASSWORD, after)).headers["location"] == "/"


async def test_tries_are_limited(edge: Edge) -> None:
    locked(edge)
    tried = [(await unlock(edge, f"wrong {number}")).status for number in range(11)]

    assert tried == [401] * 10 + [429]
    late = await unlock(edge, PASSWORD)
    assert late.status == 429
    assert int(late.headers["retry-after"]) > 0


async def test_a_large_form_is_not_read(edge: Edge) -> None:
    locked(edge)

    with pytest.raises((OSError, EOFError, AssertionError, ValueError)):
        await unlock(edge, "x" * 100_000)


async def test_behind_a_proxy_of_ours_the_cookie_is_for_https_and_visitors_are_told_apart(
    home: Path,
) -> None:
    edge = Edge(home, trusted_proxies=("127.0.0.1/32",))
    await edge.start()
    try:
        locked(edge)
        said = {"x_forwarded_proto": "https", "x_forwarded_for": "203.0.113.9"}
        for _ in range(10):
            assert (await unlock(edge, "wrong", **said)).status == 401
        other = await unlock(edge, PASSWORD, **(said | {"x_forwarded_for": "198.51.100.7"}))
        assert other.status == 303
        assert "; Secure" in other.headers["set-cookie"]
        assert (await unlock(edge, PASSWORD, **said)).status == 429
    finally:
        await edge.stop()


async def test_the_file_is_for_its_owner_alone(edge: Edge) -> None:
    guards.write(edge.home, "proj_1", GUARD)

    assert os.stat(guards.place(edge.home, "proj_1")).st_mode & 0o777 == 0o600
