"""What every answer carries, each header once: B-076, B-077, C-073, C-084, C-086, D-37, F-23."""

from collections import Counter

import httpx2
import pytest
from litestar import Litestar
from tests.conftest import PANEL

from windlass.core import environment, headers, http
from windlass.core.environment import InvalidSettings
from windlass.core.settings import Settings
from windlass.web.static_files import asset

pytestmark = pytest.mark.anyio
_OTHER = "https://app.example.com"
_EXPECTED = {"x-request-id", "api-version", *headers.SECURITY_HEADERS}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/health/live"),
        ("GET", "/api/projects"),
        ("GET", "/api/nothing"),
        ("PUT", "/api/projects"),
        ("POST", "/api/projects"),
        ("GET", "/sign-in"),
        ("GET", "/projects"),
        ("GET", "/nothing"),
        ("GET", asset("app.css")),
        ("GET", "/-/assets/nothing.css"),
        ("OPTIONS", "/api/projects"),
    ],
)
async def test_every_answer_has_each_header_once(
    client: httpx2.AsyncClient, method: str, path: str
) -> None:
    response = await client.request(method, path)

    counted = Counter(name.lower() for name, _ in response.headers.multi_items())
    assert {name: counted[name] for name in _EXPECTED} == dict.fromkeys(_EXPECTED, 1)
    assert "access-control-allow-origin" not in counted
    assert "strict-transport-security" not in counted
    assert "upgrade-insecure-requests" not in response.headers["content-security-policy"]


async def test_a_request_id_of_the_caller_is_kept_when_it_is_a_uuid(
    anonymous: httpx2.AsyncClient,
) -> None:
    id = "0190b0c0-0000-7000-8000-000000000000"

    kept = await anonymous.get("/api/nothing", headers={"x-request-id": id})
    made = await anonymous.get("/api/nothing", headers={"x-request-id": "x\ty"})

    assert kept.headers["x-request-id"] == kept.json()["error"]["requestId"] == id
    assert made.headers["x-request-id"].startswith("req_")


def as_if(app: Litestar, **given: object) -> httpx2.AsyncClient:
    """The application with other settings around it."""
    wanted = Settings(**given)  # type: ignore[arg-type]
    around = http.track(headers.shared(app._create_asgi_handler(), wanted), wanted)

    async def served(scope: object, receive: object, send: object) -> None:
        scope.update({"app": app, "litestar_app": app, "state": {}})  # type: ignore[attr-defined]
        await around(scope, receive, send)  # type: ignore[arg-type]

    transport = httpx2.ASGITransport(app=served)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url=PANEL)


async def test_with_tls_browsers_are_told_to_keep_to_it(app: Litestar) -> None:
    async with as_if(app, url="https://w.example", environment="production") as client:
        found = (await client.get("/api/nothing")).headers
    async with as_if(app, url="https://w.example") as client:
        developing = (await client.get("/api/nothing")).headers

    assert found["strict-transport-security"] == "max-age=63072000; includeSubDomains; preload"
    assert found["content-security-policy"].endswith("; upgrade-insecure-requests")
    assert "upgrade-insecure-requests" not in developing["content-security-policy"]


_PREFLIGHT = {"access-control-request-method": "POST"}


async def test_only_the_origins_of_the_settings_may_call_from_elsewhere(app: Litestar) -> None:
    async with as_if(app, cors_origins=f"{_OTHER}, https://b.example") as client:
        asked = await client.options("/api/projects", headers={"origin": _OTHER, **_PREFLIGHT})
        got = await client.get("/api/health/live", headers={"origin": _OTHER})
        page = await client.get("/sign-in", headers={"origin": _OTHER})
        others = [
            await client.options("/api/projects", headers={"origin": origin, **_PREFLIGHT})
            for origin in ("https://evil.example", f"{_OTHER}.evil.example", "null")
        ]

    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == _OTHER
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert got.headers["access-control-allow-origin"] == _OTHER
    assert "Origin" in got.headers["vary"]
    assert "access-control-allow-credentials" not in {**asked.headers, **got.headers}
    assert "access-control-allow-origin" not in page.headers
    for other in others:
        assert other.status_code >= 400
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origins", ["*", "https://*.example.com", "example.com", f"{_OTHER}/x"])
def test_an_origin_that_is_not_exact_stops_the_start(origins: str) -> None:
    with pytest.raises(InvalidSettings, match="WINDLASS_CORS_ORIGINS"):
        environment.load({"WINDLASS_CORS_ORIGINS": origins})
