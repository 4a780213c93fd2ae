"""Realistic things to show on pages, in the shapes of the API's `Out` structs."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

from windlass.deployments.disk import Part, Share, Usage

# Page path → template, whether somebody is signed in, context.
Pages = dict[str, tuple[str, bool, dict[str, Any]]]
NONE: dict[str, Any] = {"values": {}, "errors": {}}
ADDRESS = "http://….localhost:8000"

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


def before(**how_long: float) -> dt.datetime:
    return NOW - dt.timedelta(**how_long)


USER = SimpleNamespace(
    id="user_01kb8f3v4w5x6y7z8a9b0c1d2e",
    username="ada",
    email="ada@example.com",
    name="Ada Bell",
    is_admin=True,
)


def public_id(prefix: str, number: int) -> str:
    return f"{prefix}_01kb8f3v4w5x6y7z8a9b{number:06d}"


PLAN = SimpleNamespace(
    framework="vite",
    label="Vite",
    kind="static",
    root_directory=".",
    runtime="node",
    package_manager="npm",
    install_command="npm ci",
    build_command="npm run build",
    output_directory="dist",
    start_command=None,
    release_command=None,
    processes={},
    build_network=False,
    supersede_running=False,
    container=None,
    evidence=(
        "package.json has vite 7.2 in devDependencies",
        "package.json has a build script: “vite build”",
        "package-lock.json, so npm ci installs exactly",
    ),
    warnings=(),
)

SERVER_PLAN = SimpleNamespace(
    framework="fastapi",
    label="FastAPI",
    kind="server",
    root_directory="services/orders",
    runtime="python",
    package_manager="uv",
    install_command="uv sync --frozen",
    build_command=None,
    output_directory=None,
    start_command="uvicorn orders.main:app --host 127.0.0.1 --port $PORT",
    release_command="alembic upgrade head",
    processes={},
    build_network=False,
    supersede_running=False,
    container=None,
    evidence=(
        "services/orders/pyproject.toml depends on fastapi",
        "orders/main.py line 14 makes “app = FastAPI()”",
        "uv.lock, so uv installs exactly",
    ),
    warnings=("orders/main.py reads DATABASE_URL. Add it below, or the app will not start.",),
)


IMAGE_PLAN = SimpleNamespace(
    framework="dockerfile",
    label="Container image",
    kind="server",
    root_directory=".",
    runtime="none",
    package_manager=None,
    install_command=None,
    build_command=None,
    output_directory=None,
    start_command=None,
    release_command=None,
    build_network=False,
    supersede_running=False,
    port=8080,
    health_path="/",
    container=SimpleNamespace(
        image="ghcr.io/harbour/orders:1.4",
        dockerfile=None,
        target=None,
        digest="ghcr.io/harbour/orders@sha256:" + "9f1c4d1e9a07b3f5" * 4,
        size_bytes=88_411_204,
        health=("CMD-SHELL", "wget -qO- http://127.0.0.1:8080/up || exit 1"),
        read_only=None,
    ),
    evidence=("windlass.toml: the image ghcr.io/harbour/orders:1.4",),
    warnings=(),
)


def deployment(number: int, **changes: Any) -> Any:
    facts: dict[str, Any] = {
        "id": public_id("depl", number),
        "project_id": public_id("proj", 1),
        "project": SimpleNamespace(name="Harbour shop", slug="harbour-shop", ref="harbour-shop"),
        "status": "ready",
        "queue": None,
        "branch": "main",
        "commit_sha": f"{number:02d}c4d1e9a07b3f52",
        "commit_message": "Show the delivery date beside the price",
        "url": f"http://harbour-shop-{number}.localhost:8000",
        "site_slug": "harbour-shop",
        "build_time_seconds": 38.4,
        "is_active": False,
        "is_preview": False,
        "error_code": None,
        "error_message": None,
        "attempt": 1,
        "note": None,
        "promoted_at": None,
        "promoted_by": None,
        "plan": PLAN,
        "file_count": 214,
        "size_bytes": 8_411_204,
        "created_at": before(minutes=12 + number * 95),
        "started_at": before(minutes=12 + number * 95 - 0.1),
        "finished_at": before(minutes=11 + number * 95),
    }
    return SimpleNamespace(**(facts | changes))


LIVE = deployment(
    1, is_active=True, url="http://harbour-shop.localhost:8000", promoted_at=before(minutes=10)
)

BUILDING = deployment(
    2,
    status="building",
    url=None,
    build_time_seconds=None,
    commit_message="Cache the product pictures for a week",
    created_at=before(seconds=44),
    started_at=before(seconds=41),
    finished_at=None,
    file_count=0,
    size_bytes=0,
)

FAILED = deployment(
    3,
    status="error",
    url=None,
    error_code="BUILD_OUT_OF_MEMORY",
    error_message="Build ran out of memory (2 GiB). Raise it in Settings → Build, "
    "or build less in parallel.",
    commit_message="Generate all 14,000 product pages at build time",
    file_count=0,
    attempt=2,
)

PREVIEW = deployment(4, is_preview=True, branch="winter-theme", commit_message="Winter theme")

CANCELLED = deployment(
    5, status="cancelled", url=None, error_message="Cancelled by Ada Bell", build_time_seconds=4.2
)

UPLOADED = deployment(6, branch=None, commit_sha=None, commit_message=None, build_time_seconds=0.4)

QUEUED = deployment(
    7,
    status="queued",
    queue=SimpleNamespace(position=3, estimated_seconds=80),
    url=None,
    build_time_seconds=None,
    started_at=None,
    finished_at=None,
    created_at=before(seconds=3),
)

QUEUE = SimpleNamespace(
    running=2, waiting=4, slots=2, own=SimpleNamespace(running=1, waiting=1, limit=1)
)
IDLE = SimpleNamespace(
    running=0, waiting=0, slots=2, own=SimpleNamespace(running=0, waiting=0, limit=3)
)
DEPLOYMENTS = [QUEUED, BUILDING, LIVE, FAILED, PREVIEW, CANCELLED, UPLOADED]

SERVER = deployment(
    8,
    is_active=True,
    plan=SERVER_PLAN,
    url="http://orders.localhost:8000",
    project=SimpleNamespace(name="orders", slug="orders", ref="orders"),
    commit_message="Answer 409 when an order was paid twice",
)


IMAGE = deployment(
    21,
    branch=None,
    commit_sha=None,
    commit_message=None,
    plan=IMAGE_PLAN,
)
EARLIER = deployment(
    9, plan=SERVER_PLAN, promoted_at=before(days=2), commit_message="Count what was sold"
)


USAGE = Usage(
    size_bytes=9_411_002_368,
    free_bytes=122_411_002_368,
    disk_bytes=250_000_000_000,
    unexplained_bytes=0,
    parts=[
        Part(name, size, 12)
        for name, size in [
            ("caches", 6_811_204_112),
            ("blobs_own", 1_411_204_096),
            ("blobs_shared", 811_204_608),
            ("database", 301_204_480),
            ("rest", 76_185_072),
        ]
    ],
    projects=[
        Share(
            project_id=public_id("proj", number),
            name=name,
            own_bytes=size,
            shared_bytes=811_204_608,
            releases_bytes=98_304,
            caches_bytes=size * 4,
            logs_bytes=8_192,
            work_bytes=0,
        )
        for number, (name, size) in enumerate(
            [("Harbour shop", 900_000_256), ("landing page for the winter campaign 2026", 4_096)]
        )
    ],
    rest=["holiday.mov", "notes"],
)
RECEIPT = SimpleNamespace(
    outcome="counting",
    is_watched=True,
    switched_at=before(seconds=20),
    switch_milliseconds=3.42,
    previous_deployment_id=public_id("depl", 9),
    is_partial=True,
    before=SimpleNamespace(
        requests=120_311, failed=12, p50_milliseconds=7.5, p95_milliseconds=1500.0
    ),
    old=SimpleNamespace(requests=4, failed=0, p50_milliseconds=0.5, p95_milliseconds=20.0),
    new=SimpleNamespace(requests=0, failed=0, p50_milliseconds=None, p95_milliseconds=None),
)


def project(number: int, name: str, latest: Any, **changes: Any) -> Any:
    slug = name.lower().replace(" ", "-").replace(".", "-")
    facts: dict[str, Any] = {
        "id": public_id("proj", number),
        "name": name,
        "slug": slug,
        "ref": slug,
        "owner": SimpleNamespace(id=public_id("user", 1), name="Ada Bell", plan="pro"),
        "role": "owner",
        "may": lambda permission: True,
        "repository_url": "https://git.example.com/harbour/shop.git",
        "repository_branch": "main",
        "framework": "vite",
        "build_command": None,
        "install_command": None,
        "output_directory": None,
        "start_command": None,
        "release_command": None,
        "root_directory": None,
        "node_version": None,
        "build_network": False,
        "supersede_running": False,
        "keep_releases": None,
        "watch_minutes": 0,
        "url": f"http://{slug}.localhost:8000",
        "answers": True,
        "latest_deployment": latest,
        "active_deployment_id": public_id("depl", 1),
        "created_at": before(days=40),
        "updated_at": before(hours=2),
    }
    return SimpleNamespace(**(facts | changes))


def preview(number: int, branch: str, pull: int | None, *, deployment: Any, **given: Any) -> Any:
    known = {
        "id": public_id("prev", number),
        "project_id": public_id("proj", 1),
        "branch": branch,
        "pr_number": pull,
        "title": "Mend the cart where it forgets what was in it" if pull else None,
        "author": "ada" if pull else None,
        "is_fork": False,
        "needs_approval": False,
        "commit_sha": "5b1d9a3c7e2f4a6b8c0d1e2f3a4b5c6d7e8f9a0b",
        "commit_message": "Mend the cart",
        "comment_error": None,
        "alias_url": f"http://harbour-shop-git-{number}.localhost:8000" if deployment else None,
        "deployment": deployment,
        "created_at": before(hours=number),
        "updated_at": before(hours=number),
    }
    return SimpleNamespace(**(known | given))


PROJECT = project(1, "Harbour shop", LIVE)

PROJECTS = [
    PROJECT,
    project(
        2,
        "orders",
        SERVER,
        framework="fastapi",
        ref=public_id("proj", 2),
        owner=SimpleNamespace(id=public_id("user", 2), name="Grace Hill", plan="team"),
    ),
    project(3, "docs", BUILDING, framework="mkdocs"),
    project(4, "Catalogue", FAILED, framework="nextjs"),
    project(5, "landing page for the winter campaign 2026", PREVIEW, framework="astro"),
    project(6, "hello", UPLOADED, repository_url=None, framework="static"),
    project(7, "fresh", None, active_deployment_id=None, repository_url=None, framework=None),
]

_STEPS = [
    ("source", "info", "Cloning https://git.example.com/harbour/shop.git at main"),
    ("source", "success", "214 files, 8.0 MiB"),
    ("install", "info", "\x1b[1m$ npm ci\x1b[0m"),
    ("install", "warn", "npm warn deprecated inflight@1.0.6: This module is not supported"),
    ("install", "info", "added 312 packages in 9s"),
    ("build", "info", "\x1b[1m$ npm run build\x1b[0m"),
    ("build", "info", "\x1b[36mvite v7.2.1 \x1b[32mbuilding for production...\x1b[39m"),
    (
        "build",
        "info",
        "\x1b[2mdist/\x1b[22m\x1b[36massets/index-Cq3kd.js   \x1b[39m\x1b[1m 143.42 kB\x1b[22m",
    ),
    (
        "build",
        "error",
        "\x1b[31merror\x1b[39m chunk size is above the limit (in a plugin, ignored)",
    ),
    ("build", "success", "✓ built in 3.21s"),
    ("release", "info", "214 files, 12 new"),
    ("deploy", "success", "Live at http://harbour-shop.localhost:8000"),
]


def log_line(seq: int) -> Any:
    step, level, message = _STEPS[(seq - 1) % len(_STEPS)]
    return SimpleNamespace(
        seq=seq,
        level=level,
        step=step,
        message=message,
        timestamp=before(minutes=12) + dt.timedelta(seconds=seq * 3),
    )


LOG = [log_line(seq) for seq in range(1, len(_STEPS) + 1)]
