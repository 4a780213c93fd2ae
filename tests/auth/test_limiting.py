"""Limits over HTTP: B-070, B-071, B-075, C-035, C-082, D-17, D-18, K-017."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from litestar import Litestar, Response, get, post, put
from litestar.params import FromQuery
from litestar.types import ASGIApp, Receive, Scope, Send
from tests.core.redis_server import RedisServer, needed

from windlass.adapters.redis import RedisLimiter
from windlass.auth import limiting
from windlass.auth.models import Plan
from windlass.core import http, limit
from windlass.core.crypto import KeyRing
from windlass.core.errors import Conflict
from windlass.core.http import Request
from windlass.core.limit import Limiter, Memory
from windlass.core.settings import Edge, Limits, Settings
from windlass.web.errors import render_error

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


class Somebody:
    def __init__(self, id: str, plan: Plan = Plan.free) -> None:
        self.id, self.plan = id, plan


@get("/api/things")
async def read() -> dict[str, object]:
    verdict = limit.current()
    return verdict.as_meta() if verdict else {}


@post("/api/things")
async def write() -> None: ...


@put("/api/blobs", rate="upload")
async def upload() -> None: ...


@post("/api/sign-in", rate="sign_in", status_code=200)
async def sign_in(request: Request, account: FromQuery[str]) -> None:
    await limiting.count(request, "sign_in", of=account)


@get("/api/conflict")
async def conflict() -> None:
    raise Conflict()


@get("/api/bug")
async def bug() -> None:
    raise ValueError("secret")


@get("/page", media_type="text/html")
async def page() -> Response[str]:
    return Response("<p>page")


@get("/styles", rate="asset")
async def styles() -> str:
    return "p {}"


ROUTES = [read, write, upload, sign_in, conflict, bug, page, styles]


def build(limiter: Limiter | None = None, **limits: str) -> Litestar:
    app = Litestar(
        ROUTES,
        middleware=[limiting.limited],
        exception_handlers={Exception: render_error},
        response_class=http.Envelope,
        openapi_config=None,
    )
    app.state.limiter = limiter or Memory()
    app.state.key_ring = KeyRing([b"k" * 32])
    edge = Edge(trusted_proxies="10.0.0.0/8")
    app.state.settings = Settings(limits=Limits(**limits), edge=edge)
    app.asgi_handler = http.track(limiting.announced(app.asgi_handler), Settings())
    limiting.refuse_unknown_rates(app)
    return app


def client(
    app: Litestar, *, by: Somebody | None = None, peer: str = "203.0.113.9"
) -> httpx2.AsyncClient:
    async def identified(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["actor"] = by  # type: ignore[typeddict-item]
        await app(scope, receive, send)

    asgi: ASGIApp = identified
    transport = httpx2.ASGITransport(
        app=asgi,  # type: ignore[arg-type]
        raise_app_exceptions=False,
        client=(peer, 4000),
    )
    return httpx2.AsyncClient(transport=transport, base_url="http://panel.example")


def numbers(response: httpx2.Response) -> tuple[int, int]:
    headers = response.headers
    return int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])


async def test_every_answer_says_how_much_is_left() -> None:
    anonymous = client(build())
    for path, status in [
        ("/api/things", 200),
        ("/api/conflict", 409),
        ("/api/bug", 500),
        ("/api/nothing", 404),
        ("/page", 200),
        ("/nothing", 404),
        ("/styles", 200),
    ]:
        response = await anonymous.get(path)
        assert response.status_code == status
        limit, remaining = numbers(response)
        assert 0 <= remaining <= limit
        assert "retry-after" not in response.headers
        reset = dt.datetime.fromisoformat(response.headers["x-ratelimit-reset"])
        assert reset.utcoffset() == dt.timedelta(0)
    response = await anonymous.patch("/api/things")
    assert (response.status_code, numbers(response)) == (405, (12, 11))


async def test_too_much_is_429_in_the_envelope_with_the_time_to_come_back() -> None:
    anonymous = client(build(read="4/60"))
    for left in (1, 0):
        assert numbers(await anonymous.get("/api/things")) == (2, left)  # 4 × 60 / 100
    response = await anonymous.get("/api/things")

    error = response.json()["error"]
    assert response.status_code == 429
    assert error["code"] == "TOO_MANY_REQUESTS"
    assert error["message"] == "Too many requests. Wait a moment and try again."
    assert error["requestId"] == response.headers["x-request-id"]
    assert error["details"]["resetAt"] == response.headers["x-ratelimit-reset"]
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert numbers(response) == (2, 0)


async def test_a_limit_is_of_its_own_kind() -> None:
    anonymous = client(build(write="2/60"))
    statuses = [(await anonymous.post("/api/things")).status_code for _ in range(2)]
    others = [
        (await anonymous.get("/api/things")).status_code,
        (await anonymous.put("/api/blobs")).status_code,
        (await anonymous.get("/page")).status_code,
    ]

    assert (statuses, others) == ([201, 429], [200, 200, 200])


async def test_the_answers_data_may_say_it_too() -> None:
    response = await client(build(), by=Somebody("a")).get("/api/things")

    data = response.json()["data"]
    assert (data["limit"], data["remaining"]) == (100, 99)
    assert data["resetAt"] == response.headers["x-ratelimit-reset"]


async def test_people_are_counted_by_themselves_and_by_their_plan() -> None:
    app = build(free="2/60", pro="4/60", read="100/60")
    ada, bob = Somebody("a"), Somebody("b")
    async with client(app, by=ada) as hers, client(app, by=bob) as his:
        assert [(await hers.get("/api/things")).status_code for _ in range(3)] == [200, 200, 429]
        assert (await his.get("/api/things")).status_code == 200
        ada.plan = Plan.pro  # at once, without a restart (B-073)
        assert (await hers.get("/api/things")).status_code == 200


async def test_nothing_that_a_visitor_sends_changes_who_is_counted() -> None:
    """B-075, and the attack of X-Forwarded-For from an untrusted peer."""
    anonymous = client(build(anonymous="3/60"))
    statuses: list[int] = []
    for number in range(6):
        statuses.append(
            (
                await anonymous.get(
                    f"/api/things?admin=1&skip={number}",
                    headers={
                        "x-forwarded-for": f"198.51.100.{number}",
                        "x-real-ip": f"198.51.100.{number}",
                        "forwarded": f"for=198.51.100.{number}",
                        "authorization": f"Bearer wrong-{number}",
                        "x-ratelimit-limit": "1000",
                    },
                )
            ).status_code
        )

    assert statuses == [200, 200, 200, 429, 429, 429]


async def test_behind_a_trusted_proxy_its_visitors_are_told_apart() -> None:
    proxied = client(build(anonymous="1/60"), peer="10.0.0.1")

    async def ask(forwarded: str) -> int:
        response = await proxied.get("/api/things", headers={"x-forwarded-for": forwarded})
        return response.status_code

    assert [await ask("198.51.100.1"), await ask("198.51.100.2")] == [200, 200]
    # What the visitor wrote stands before what the proxy wrote.
    assert await ask("6.6.6.6, 198.51.100.1") == 429


async def test_addresses_that_lead_nowhere_are_counted_too() -> None:
    anonymous = client(build(anonymous="2/60"))
    found = [await anonymous.get(f"/api/guess/{number}") for number in range(3)]

    assert [each.status_code for each in found] == [404, 404, 429]
    error = found[-1].json()["error"]
    assert error["code"] == "TOO_MANY_REQUESTS"
    assert found[-1].headers["x-request-id"] == error["requestId"]
    assert int(found[-1].headers["retry-after"]) >= 1
    assert numbers(found[-1]) == (2, 0)


async def test_a_page_says_it_in_a_page() -> None:
    browser = client(build(page="1/60"))
    await browser.get("/page")
    response = await browser.get("/page")

    assert response.status_code == 429
    assert response.headers["content-type"].startswith("text/html")
    assert "Too many tries. Try again in" in response.text
    assert int(response.headers["retry-after"]) >= 1


async def test_somebody_who_clicks_fast_never_meets_the_limit_of_pages() -> None:
    browser = client(build())
    for _ in range(300):
        assert (await browser.get("/styles")).status_code == 200
        assert (await browser.get("/page")).status_code == 200


async def test_passwords_are_tried_five_times_from_one_address() -> None:
    """C-035, K-017."""
    anonymous = client(build())
    statuses = [
        (await anonymous.post(f"/api/sign-in?account=a{number}@example.com")).status_code
        for number in range(6)
    ]

    assert statuses == [200] * 5 + [429]


async def test_passwords_are_tried_five_times_for_one_account() -> None:
    app, statuses = build(), list[int]()
    for number in range(6):
        async with client(app, peer=f"198.51.100.{number}") as other:
            response = await other.post("/api/sign-in?account=ada@example.com")
            statuses.append(response.status_code)

    assert statuses == [200] * 5 + [429]
    assert response.json()["error"]["details"]["resetAt"] == response.headers["x-ratelimit-reset"]
    assert numbers(response) == (5, 0)
    assert int(response.headers["retry-after"]) >= 1
    async with client(app, peer="198.51.100.9") as another:
        assert (await another.post("/api/sign-in?account=bob@example.com")).status_code == 200


@needed
async def test_two_processes_share_their_counts_in_redis(redis: RedisServer) -> None:
    limiters = [RedisLimiter(redis.url, timeout_seconds=60) for _ in range(2)]
    one, other = (client(build(limiter, anonymous="3/60")) for limiter in limiters)
    asked = (one, other, one, other, one)
    statuses = [(await each.get("/api/things")).status_code for each in asked]
    assert statuses == [200, 200, 200, 429, 429]

    redis.kill()
    assert (await one.get("/api/things")).status_code == 200
    for limiter in limiters:
        await limiter.close()


def test_a_mistyped_rate_stops_the_process() -> None:
    @get("/api/typo", rate="wirte")
    async def typo() -> None: ...

    with pytest.raises(RuntimeError, match="/api/typo"):
        limiting.refuse_unknown_rates(Litestar([typo], openapi_config=None))
