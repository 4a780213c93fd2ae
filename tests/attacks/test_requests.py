"""Requests that are not what they seem, against every route that there is."""

import io
import json
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from tests import make
from tests.attacks.conftest import filled, routes
from tests.conftest import PANEL, RolledBack, client_of
from tests.running import Instance, request, until
from windlass.auth.front import COOKIE
from windlass.auth.models import Actor
from windlass.core import intake, log
from windlass.core.settings import Limits

pytestmark = pytest.mark.anyio
RIGHT = {"login": "owner@example.com", "password": make.PASSWORD}
JSON = {"content-type": "application/json"}
# Lists of many files are longer than that, and say so.
LARGE = {"/api/sources", "/api/sources/left-out"}
SQL = (
    "' or '1'='1",
    "1; drop table users; --",
    "created_at; select pg_sleep(10)",
)


def taking_bodies() -> list[tuple[str, str, HTTPRouteHandler]]:
    return [
        (method, path, handler)
        for method, path, handler in routes()
        if path.startswith("/api/") and "data" in handler.parsed_fn_signature.parameters
    ]


async def test_a_cookie_sent_by_another_site_changes_nothing_on_any_route(
    browser_of: httpx2.AsyncClient, owner: Actor
) -> None:
    """CSRF: a foreign Origin, none at all, a null one, one that only begins like ours."""
    await browser_of.post("/sign-in", data=RIGHT)
    del browser_of.headers["origin"]
    strangers: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": PANEL + ".evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/" + PANEL},
        {},
    ]
    tried = 0
    for method, path, handler in routes():
        if method == "GET":
            continue
        for headers in strangers:
            if not headers and handler.opt.get("public"):
                continue  # carries no session: programs sign in and set up without an Origin
            answer = await browser_of.request(method, filled(path), headers=headers)
            # Below /git/ no cookie counts at all.
            refused = 401 if path.startswith("/git/") else 403
            assert answer.status_code == refused, (method, path, headers, answer.status_code)
            tried += 1
    assert tried > 200
    assert (await browser_of.get("/api/auth/me")).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/%0d%0aLocation:https://evil.example",
        "/\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "http:evil.example",
        "/@evil.example/..//evil.example",
        "\u2f0fevil.example",
        "",
    ],
)
async def test_no_way_in_leads_to_another_site(
    browser_of: httpx2.AsyncClient, owner: Actor, target: str
) -> None:
    await browser_of.post("/account/theme", data={"theme": "dark", "next": target})
    for path, form in (
        ("/sign-in", RIGHT | {"next": target}),
        ("/account/theme", {"theme": "dark", "next": target}),
        ("/account/prove", {"password": make.PASSWORD, "next": target}),
    ):
        answer = await browser_of.post(path, data=form)
        assert answer.status_code == 303, path
        assert_stays(answer)
    # Who is signed in already is led on at once.
    for name in ("next", "redirect"):
        answer = await browser_of.get("/sign-in", params={name: target})
        assert_stays(answer)


def assert_stays(answer: httpx2.Response) -> None:
    place = answer.headers["location"]
    there = httpx2.URL(PANEL).join(place)
    assert there.host == "panel.example", place
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert "a=b" not in answer.headers.get("set-cookie", "")


async def test_nobody_chooses_the_address_that_they_are_counted_by(
    app: Litestar, owner: Actor
) -> None:
    """X-Forwarded-For and its relatives, from a peer that is no proxy of ours."""
    limits = Limits(sign_in="5/60")
    app.state.settings = msgspec.structs.replace(app.state.settings, limits=limits)
    found: list[int] = []
    async with client_of(app) as client:
        for number in range(8):
            said = f"198.51.100.{number}"
            headers = {
                "x-forwarded-for": said,
                "x-real-ip": said,
                "forwarded": f"for={said}",
                "cf-connecting-ip": said,
                "true-client-ip": said,
                "x-client-ip": said,
            }
            body = {"login": f"somebody{number}", "password": "Wrong horse battery 1"}
            answer = await client.post("/api/auth/sign-in", json=body, headers=headers)
            found.append(answer.status_code)

    assert found == [401] * 5 + [429] * 3


@pytest.mark.parametrize(
    "bytes_",
    [
        b'{"name": "a\x00b"}',
        b'{"a\\u0000b": 1}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff\xfe"}',
        b"\xef\xbb\xbf{}",
        b'{"name": "\xed\xa0\x80"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1e400}',
        b'{"a": 1, "a": 2}',
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\x00",
    ],
    ids=lambda found: repr(found[:24]),
)
async def test_a_broken_body_breaks_no_route(client: httpx2.AsyncClient, bytes_: bytes) -> None:
    for method, path, _ in taking_bodies():
        answer = await client.request(method, filled(path), content=bytes_, headers=JSON)
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text)
        assert answer.json()["ok"] is False


async def test_ten_megabytes_of_json_are_refused_everywhere(client: httpx2.AsyncClient) -> None:
    body = b'{"name": "' + b"x" * (10 << 20) + b'"}'
    for method, path, _ in taking_bodies():
        answer = await client.request(method, filled(path), content=body, headers=JSON)
        allowed = {404, 413} if path not in LARGE else {422}
        assert answer.status_code in allowed, (method, path, answer.status_code)


@pytest.mark.parametrize("sql", SQL)
async def test_sql_in_any_parameter_of_any_route_is_only_text(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, sql: str
) -> None:
    """Every query parameter and path value: refused or not found, no error of the database."""
    await make.project(database, owner)
    asked = 0
    for method, path, handler in routes():
        if method != "GET" or "stream" in path or "/health" in path:
            continue
        names = [name for name, _, _ in intake.parameters(handler)]
        targets: list[tuple[str, dict[str, str]]] = [(path, {name: sql}) for name in names]
        if "{" in path:
            targets.append((path, {}))
        for target, query in targets:
            address = httpx2.URL(PANEL + filled(target, "x" if query else _quoted(sql)))
            answer = await client.get(address, params=query) if query else await client.get(address)
            assert answer.status_code < 500, (path, query, answer.status_code, answer.text[:300])
            asked += 1
    assert asked > 60
    assert (await client.get("/api/projects")).json()["data"] != []


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def test_a_request_writes_no_header_and_no_line_of_the_log_of_its_own(
    open_to_all: Instance,
) -> None:
    forged = "req_1\r\n" + json.dumps({"message": "auth.signed_in", "user": "root"})
    url = open_to_all.url
    answers = [
        request("GET", f"{url}/api/auth/me", headers={"x-request-id": "a b\tc"}),
        request("GET", f"{url}/api/auth/me", headers={"x-request-id": "x" * 5000}),
        request("GET", f"{url}/api/%0d%0aset-cookie:%20a=b"),
        request("GET", f"{url}/sign-in?next=/{_quoted(forged)}"),
        request("GET", f"{url}/nowhere%0a%1b[2J%1b]0;owned%07{_quoted(forged)}"),
        request("POST", f"{url}/api/auth/sign-in", json={"login": forged, "password": forged}),
        request("POST", f"{url}/sign-in", data={"login": forged, "password": forged}),
        request("GET", f"{url}/sign-in", headers={"user-agent": "a\tb" * 100}),
    ]

    for answer in answers:
        assert "a=b" not in answer.headers.get("set-cookie", "")
        assert answer.headers["x-request-id"].isprintable()
        assert len(answer.headers["x-request-id"]) < 100
        assert answer.status_code < 500

    def written() -> list[str]:
        logs = (open_to_all.home / "logs").rglob("*.log")
        lines = [line for path in logs for line in _lines(path)]
        return lines if any("/nowhere" in line for line in lines) else []

    lines = until(written, what="the log of what was asked for")
    assert [line for line in lines if not line.isprintable()] == []
    said = [json.loads(line) for line in lines if line.startswith("{")]
    assert [one for one in said if one.get("user") == "root"] == []
    assert [line for line in open_to_all.log.read_text().splitlines() if "\x1b" in line] == []


def _lines(path: Path) -> list[str]:
    return path.read_text().split("\n") if path.name.startswith("control") else []


def test_what_is_said_aloud_is_one_line_that_no_terminal_obeys() -> None:
    stream = io.StringIO()
    aloud = log._say_aloud(stream)  # pyright: ignore[reportPrivateUsage]

    aloud(None, "", {"level": "error", "event": "http.bug", "path": "/a\n\x1b[2Jerror: b"})

    assert stream.getvalue() == "error: http.bug path='/a\\n\\x1b[2Jerror: b'\n"


async def test_a_cookie_and_a_bearer_token_together_are_the_bearer(
    browser_of: httpx2.AsyncClient, stranger: httpx2.AsyncClient, owner: Actor
) -> None:
    """A token cannot be smuggled in beside a session to pass by the check of the Origin."""
    await browser_of.post("/sign-in", data=RIGHT)
    cookie = f"{COOKIE}={browser_of.cookies[COOKIE]}"
    headers = {
        "cookie": cookie,
        "authorization": "Bearer nonsense",
        "origin": "https://evil.example",
    }

    answer = await browser_of.post("/api/projects", json={"name": "Shop"}, headers=headers)

    assert answer.status_code == 401
    empty = headers | {"authorization": "Basic eDp4"}
    answer = await browser_of.post("/api/projects", json={"name": "Shop"}, headers=empty)
    assert answer.status_code == 403


def test_the_list_of_routes_is_not_empty() -> None:
    """Else every test above would pass by trying nothing."""
    found: list[Any] = list(routes())
    assert len(found) > 120
    assert len(taking_bodies()) > 30
