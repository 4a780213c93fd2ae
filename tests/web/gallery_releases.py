"""Releases on Kubernetes clusters."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

from tests.web.samples import NONE, Pages, before, public_id
from windlass.auth.permissions import GRANTS, Role


def _result(kind: str, name: str, stage: int, **more: Any) -> SimpleNamespace:
    found = {"outcome": "created", "message": "", "state": "current", "state_message": ""}
    return SimpleNamespace(kind=kind, name=name, stage=stage, hint="", warnings=[], **found | more)


_RESULTS = [
    _result("ConfigMap", "settings", 0),
    _result(
        "Deployment",
        "web",
        1,
        outcome="changed",
        state="failed",
        state_message="Pod web-6f7c: the image registry.example.com/shop:42 cannot be pulled",
    ),
    _result("Deployment", "mail", 1, state="in-progress", state_message="1 of 2 are ready"),
    _result("Service", "web", 1, outcome="waiting", state=""),
]
_DRIFT = SimpleNamespace(
    kind="Deployment",
    name="web",
    is_missing=False,
    changes=[SimpleNamespace(path="spec.replicas", before=2, after=5)],
)


def _release(number: int, name: str, status: str, **more: Any) -> SimpleNamespace:
    found: dict[str, Any] = {
        "id": public_id("rel", number),
        "cluster_id": public_id("cls", 1),
        "cluster": "home",
        "name": name,
        "namespace": "shop",
        "environment": "production",
        "status": status,
        "reason": None,
        "revision": 3,
        "workloads_count": 2,
        "resources_count": 4,
        "has_drift": False,
        "updated_at": before(minutes=number),
        "newest": SimpleNamespace(results=_RESULTS, pruned=_RESULTS[:1]),
        "drift": [],
        "actions": ["view", "resources", "redeploy", "edit", "rollback", "delete"],
    }
    return SimpleNamespace(**found | more)


_WHY = "Deployment/web: the image registry.example.com/shop:42 cannot be pulled"
FAILED = _release(1, "shop", "FAILED", reason=_WHY, drift=[_DRIFT], has_drift=True)
_ALL = [
    FAILED,
    _release(2, "blog", "DEPLOYED"),
    _release(3, "mail", "ROLLING_OUT", actions=["view", "resources", "cancel"]),
    _release(4, "wiki", "PARTIAL", reason="ConfigMap/a was refused by policy.example.com"),
]
_POWERS = GRANTS[Role.owner]
_ASK = {
    "action": "redeploy",
    "revision": "",
    "digest": "abc",
    "findings": [
        {
            "message": "The container web has no memory limit",
            "kind": "Deployment",
            "name": "web",
            "rule": "memory-limit",
            "hint": "Set resources.limits.memory",
        }
    ],
}
_SHOWN: dict[str, Any] = NONE | {
    "release": FAILED,
    "stages": [(1, _RESULTS[:1]), (2, _RESULTS[1:])],
    "ask": None,
    "powers": _POWERS,
}
_REVISIONS = [
    SimpleNamespace(
        number=number,
        of=1 if number == 3 else None,
        status="DEPLOYED" if number < 3 else "FAILED",
        note="With the new mail server" if number == 2 else None,
        reason=_WHY if number == 3 else None,
        created_at=before(hours=10 - number),
    )
    for number in (3, 2, 1)
]
_DIFF = SimpleNamespace(
    revision=3,
    compared_with=2,
    documents=[
        SimpleNamespace(
            kind="Deployment",
            name="web",
            change="changed",
            changes=[
                SimpleNamespace(
                    path="spec.template.spec.containers.0.image",
                    before="1",
                    after="2",
                )
            ],
        )
    ],
)
_INSIDE = SimpleNamespace(
    resources=[
        SimpleNamespace(kind="Deployment", name="web", state="failed", message=_WHY),
        SimpleNamespace(kind="Service", name="web", state="current", message=""),
    ],
    pods=[
        SimpleNamespace(
            name="web-6f7c", message="ImagePullBackOff", restarts=0, phase="Pending", ready="0/1"
        )
    ],
    logs=[
        SimpleNamespace(
            pod="mail-1", container="mail", is_previous=True, lines=["starting", "panic"]
        )
    ],
    events=[
        SimpleNamespace(
            type="Warning",
            reason="Failed",
            object="Pod/web-6f7c",
            message="Failed to pull image",
            last_seen=before(seconds=30) + dt.timedelta(0),
        )
    ],
)

PAGES: Pages = {
    "/releases": (
        "releases/list.html",
        True,
        {"releases": _ALL, "cursor": "n", "shows_deleted": False},
    ),
    "/releases-empty": (
        "releases/list.html",
        True,
        {"releases": [], "cursor": None, "shows_deleted": False},
    ),
    "/releases/shop": ("releases/show.html", True, _SHOWN),
    "/releases/ask": ("releases/show.html", True, _SHOWN | {"ask": _ASK}),
    "/releases/shop/yaml": (
        "releases/yaml.html",
        True,
        {
            "release": FAILED,
            "number": 3,
            "text": "apiVersion: v1\nkind: ConfigMap\n",
            "is_hidden": True,
        },
    ),
    "/releases/shop/history": (
        "releases/history.html",
        True,
        {
            "release": FAILED,
            "revisions": _REVISIONS,
            "cursor": None,
            "diff": _DIFF,
            "powers": _POWERS,
        },
    ),
    "/releases/shop/logs": (
        "releases/logs.html",
        True,
        {"release": FAILED, "problem": "The cluster did not answer in time", "inside": _INSIDE},
    ),
}
