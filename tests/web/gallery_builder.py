"""The builder of manifests, with a short form for those without scripts, and the rules."""

import msgspec

from tests.web.samples import Pages
from windlass.builder import helm, schemas, service

SHOP: dict[str, object] = {
    "namespace": "shop",
    "domain": "shop.example.com",
    "workloads": [
        {
            "name": "web",
            "containers": [
                {
                    "image": "ghcr.io/acme/web",
                    "ports": [8080],
                    "env": {"API_URL": "https://api.example.com"},
                    "securityContext": {"privileged": True},
                }
            ],
        },
        {
            "name": "cleanup",
            "type": "CronJob",
            "containers": [{"image": "ghcr.io/acme/web:1.4.2"}],
            "cronJob": {"schedule": "@daily"},
        },
    ],
    "resources": [
        {"type": "Secret", "name": "keys", "values": {"API_KEY": "f7c3bc1d808e04732adf"}}
    ],
}
_MADE = service.generate(schemas.GenerateIn(form=SHOP))
_PLAIN: dict[str, object] = {
    "values": {"name": "", "image": "", "port": "", "namespace": "", "domain": ""},
    "errors": {},
    "yaml": "",
    "findings": None,
    "profiles": [("baseline", "For every application"), ("restricted", "Hardened")],
    "versions": service.versions(),
    "draft": "",
}
_COMMAND = (
    "helm upgrade --install shop acme/shop -n shop --set db.password=hunter2 \\\n"
    "  --set image.tag=v2 -f prod.yaml --force"
)
_LINE = helm.read(schemas.HelmIn(command=_COMMAND))
_RULES = service.rules()[:12]
_ITEM = {
    "namespace": "shop",
    "message": "",
    "changes": [],
    "conflicts": [],
    "immutable": [],
    "warnings": [],
}
_CHANGE = {"path": "spec.replicas", "before": 1, "after": 2}
_RELEASE = {
    "id": "rel_1",
    "name": "web",
    "revision": 3,
    "status": "deployed",
    "reason": None,
    "newest": {"status": "deployed", "reason": None},
}
ANSWERS: dict[str, object] = {
    "/api/clusters": [{"id": "cls_1", "name": "Staging in Falkenstein"}],
    "/api/releases/plan": {
        "digest": "d1g3s7",
        "isRefused": False,
        "needsNamespace": False,
        "findings": [{"severity": "warning", "skipped": None}],
        "documents": [
            _ITEM | {"kind": "Namespace", "name": "shop", "action": "create"},
            _ITEM | {"kind": "Deployment", "name": "web", "action": "change", "changes": [_CHANGE]},
        ],
        "prunes": [_ITEM | {"kind": "Service", "name": "old", "action": "prune"}],
    },
    "/api/releases": _RELEASE,
    "/api/releases/rel_1": _RELEASE,
}
"""What clusters and releases say: those have no gallery of their own to answer."""

PAGES: Pages = {
    "/charts": ("builder/build.html", True, _PLAIN),
    "/charts-shop": (
        "builder/build.html",
        True,
        _PLAIN
        | {
            "draft": msgspec.json.encode(SHOP).decode(),
            "yaml": _MADE.yaml,
            "findings": _MADE.findings,
            "values": {"name": "web", "image": "", "port": "0", "namespace": "", "domain": ""},
            "errors": {"image": "A container needs an image", "port": "0 is no port"},
        },
    ),
    "/charts/helm": (
        "builder/helm.html",
        True,
        {"values": {"command": _COMMAND}, "errors": {}, "found": _LINE},
    ),
    "/charts/helm-refused": (
        "builder/helm.html",
        True,
        {
            "values": {"command": "helm install x y --post-renderer ./sh"},
            "errors": {"command": "`--post-renderer` is not taken. Leave it out"},
            "found": None,
        },
    ),
    "/charts/rules": (
        "builder/rules.html",
        True,
        {"groups": [("identity", _RULES)], "query": "root", "count": len(_RULES)},
    ),
    "/charts/rules-none": (
        "builder/rules.html",
        True,
        {"groups": [], "query": "nothing like it", "count": 0},
    ),
    "/charts/rules/privileged": ("builder/rule.html", True, {"rule": service.rule("privileged")}),
}
