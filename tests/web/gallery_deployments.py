"""Deployments: the list, one of each kind, what differs, what its processes wrote."""

from types import SimpleNamespace
from typing import Any

from tests.web import page_samples as q
from tests.web import samples as s
from tests.web.samples import Pages
from windlass.auth.permissions import GRANTS, Role
from windlass.core.launch import Limits
from windlass.web import tree

_SHOW: dict[str, Any] = {
    "live_url": s.LIVE.url,
    "values": {"note": ""},
    "going_live": False,
    "promoter": "Ada Bell",
    "limits": None,
    "errors": {},
    "why_not": {},
    "differing": None,
    "receipt": None,
    "may": GRANTS[Role.owner],
    "log": s.LOG,
    "nodes": q.NODES,
    "app": None,
    "runtime_log": [],
}

_DIFF: dict[str, Any] = {
    "deployment": s.LIVE,
    "before": s.UPLOADED,
    "others": [s.UPLOADED, s.PREVIEW],
    "diff": q.DIFF,
    "files": q.DIFF.files,
}

PAGES: Pages = {
    "/deployments": (
        "deployments/list.html",
        True,
        {"deployments": s.DEPLOYMENTS, "cursor": None, "status": "", "queue": s.QUEUE},
    ),
    "/deployments-none": (
        "deployments/list.html",
        True,
        {"deployments": [], "cursor": None, "status": "error", "queue": s.IDLE},
    ),
    f"/deployments/{s.LIVE.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.LIVE,
            "why_not": {"rollback": "This version is live", "delete": "This version is live"},
        },
    ),
    f"/deployments/{s.FAILED.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.FAILED,
            "why_not": {"rollback": "Only a ready version can go live"},
            "nodes": [],
        },
    ),
    f"/deployments/{s.BUILDING.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.BUILDING, "nodes": [], "log": s.LOG[:6]},
    ),
    f"/deployments/{s.QUEUED.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.QUEUED, "nodes": [], "log": []},
    ),
    f"/deployments/{s.PREVIEW.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.PREVIEW,
            "app": SimpleNamespace(
                state="asleep",
                restarts=0,
                memory_bytes=0,
                since=s.before(hours=2),
                name="web",
                reason=None,
                processes=(),
            ),
        },
    ),
    f"/deployments/{s.SERVER.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.SERVER,
            "receipt": s.RECEIPT,
            "why_not": {"rollback": "This version is live"},
            "app": SimpleNamespace(
                state="running",
                pid=4711,
                restarts=1,
                memory_bytes=88_123_392,
                since=s.before(hours=5),
                name="web",
                reason=None,
                processes=(
                    SimpleNamespace(
                        state="running",
                        restarts=0,
                        memory_bytes=41_123_392,
                        since=s.before(hours=5),
                        name="worker",
                        reason=None,
                    ),
                    SimpleNamespace(
                        state="failed",
                        restarts=9,
                        memory_bytes=0,
                        since=s.before(hours=4),
                        name="clock",
                        reason="Ended with exit code 3.",
                    ),
                ),
            ),
            "runtime_log": [
                "INFO:     Started server process [7]",
                "INFO:     Application startup complete.",
                '\x1b[32mINFO\x1b[0m:     127.0.0.1:0 - "GET /orders/812 HTTP/1.1" 200 OK',
            ],
        },
    ),
    f"/deployments/{s.IMAGE.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.IMAGE, "limits": Limits(memory_bytes=512 << 20, cpus=1.0)},
    ),
    f"/deployments/{s.EARLIER.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.EARLIER, "differing": q.DIFF.variables},
    ),
    f"/deployments/{s.LIVE.id}/files": (
        "deployments/files.html",
        True,
        {"deployment": s.LIVE, "nodes": tree.listing(q.FILES, "assets"), "folder": "assets"},
    ),
    f"/deployments/{s.LIVE.id}/diff": ("deployments/diff.html", True, _DIFF),
    f"/deployments/{s.UPLOADED.id}/diff": (
        "deployments/diff.html",
        True,
        _DIFF | {"deployment": s.UPLOADED, "before": None, "others": [], "files": []},
    ),
    f"/deployments/{s.SERVER.id}/runtime": (
        "deployments/runtime.html",
        True,
        {
            "deployment": s.SERVER,
            "processes": ["web", "clock", "worker"],
            "values": {"process": "", "search": "orders", "level": ""},
            "older": "web.1.2000~worker.1.99",
            "after": "web.1.2100~worker.1.190",
            "is_newest": True,
            "query": "search=orders",
            "lines": [
                SimpleNamespace(
                    time=f"2026-11-21T10:00:{number:02}.250Z",
                    process=process,
                    level=level,
                    message=message,
                )
                for number, (process, level, message) in enumerate(
                    [
                        ("web", "info", '127.0.0.1 - "GET /orders/812 HTTP/1.1" 200 OK'),
                        ("worker", "info", "orders.mail sent in 0.12 s"),
                        ("web", "warn", "WARNING: orders: the price list is 2 days old"),
                        ("web", "error", "KeyError: 'orders'"),
                        ("worker", "info", "\x1b[32mok\x1b[0m orders.mail " + "x" * 180),
                    ]
                )
            ],
        },
    ),
}
