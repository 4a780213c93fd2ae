"""Kubernetes clusters."""

from typing import Any

import msgspec

from tests.web.samples import NONE, Pages, before, public_id
from windlass.clusters.schemas import (
    ClusterOut,
    CredentialOut,
    Facts,
    Installed,
    Power,
    TestOut,
)

_POWERS = [
    ("patch", "deployments.apps", True),
    ("patch", "services", True),
    ("patch", "secrets", True),
    ("list", "pods", True),
    ("get", "pods/log", True),
    ("create", "namespaces", False),
]
_FACTS = Facts(
    version="v1.33.2+k3s1",
    minor="1.33",
    user="system:serviceaccount:windlass:deployer",
    namespace=None,
    powers=[Power(verb=v, resource=r, allowed=yes) for v, r, yes in _POWERS],
    installed=[
        Installed(name="Gateway API", group="gateway.networking.k8s.io", versions=["v1"]),
        Installed(name="cert-manager", group="cert-manager.io", versions=["v1"]),
    ],
    ingress_classes=["traefik"],
    gateway_classes=["envoy"],
    storage_classes=["local-path"],
)
HOME = ClusterOut(
    id=public_id("cls", 1),
    name="home",
    server="https://home.example.com:6443",
    has_ca=True,
    tls_name=None,
    insecure=False,
    credential=CredentialOut(kind="token", hint="x7Qw", expires_at=before(days=-6)),
    team=None,
    role="owner",
    namespaces=["shop-*", "blog"],
    test=TestOut(state="working", reason=None, detail=None, at=before(minutes=4)),
    facts=_FACTS,
    created_at=before(days=40),
    updated_at=before(minutes=4),
)
AWAY = msgspec.structs.replace(
    HOME,
    id=public_id("cls", 2),
    name="harbour",
    server="https://rancher.example.com/k8s/clusters/c-m-abcd1234",
    team=public_id("team", 1),
    role="viewer",
    namespaces=[],
    insecure=True,
    credential=CredentialOut(kind="certificate", hint="ada", expires_at=None),
    facts=None,
    test=TestOut(
        state="failing",
        reason="UNTRUSTED",
        detail="self-signed certificate in certificate chain",
        at=before(minutes=1),
    ),
)
NEW = msgspec.structs.replace(
    HOME,
    id=public_id("cls", 3),
    name="lab",
    facts=None,
    test=TestOut(state="testing", reason=None, detail=None, at=None),
)
_TEAMS = [("", "Only me"), (public_id("team", 1), "Harbour crew")]
_SHOWN: dict[str, Any] = NONE | {
    "cluster": HOME,
    "way": "token",
    "teams": _TEAMS,
    "ends_soon": True,
    "values": {"name": "home", "namespaces": "shop-*, blog", "team": "", "server": HOME.server},
}

PAGES: Pages = {
    "/clusters": ("clusters/list.html", True, {"clusters": [HOME, AWAY, NEW], "cursor": "next"}),
    "/clusters-empty": ("clusters/list.html", True, {"clusters": [], "cursor": None}),
    "/clusters/new": (
        "clusters/new.html",
        True,
        NONE
        | {
            "way": "kubeconfig",
            "teams": _TEAMS,
            "values": {"name": "home"},
            "errors": {"kubeconfig": "This kubeconfig cannot be used: its user has `exec`."},
        },
    ),
    "/clusters/new-server": ("clusters/new.html", True, NONE | {"way": "server", "teams": _TEAMS}),
    "/clusters/new-rancher": (
        "clusters/new.html",
        True,
        NONE | {"way": "rancher", "teams": _TEAMS[:1]},
    ),
    "/clusters/home": ("clusters/show.html", True, _SHOWN),
    "/clusters/harbour": (
        "clusters/show.html",
        True,
        _SHOWN | {"cluster": AWAY, "teams": [], "ends_soon": False},
    ),
    "/clusters/lab": (
        "clusters/show.html",
        True,
        _SHOWN | {"cluster": NEW, "way": "server", "ends_soon": False},
    ),
}
