"""Reading: which kinds there are, and lists of objects."""

import json
import re
from typing import TYPE_CHECKING, Any

from tests.kube import answers
from tests.kube.answers import Refused
from tests.kube.kinds import Kind
from tests.kube.store import Object, Store

if TYPE_CHECKING:
    from tests.kube.api import Answer, Api, Asked

_TERM = re.compile(r"^(?P<key>[^=!\s]+)\s*(?P<op>=|==|!=)\s*(?P<value>.*)$")
_IN = re.compile(r"(?P<key>[^\s,()]+) (?P<op>in|notin) \((?P<values>[^)]*)\)")
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def answer(api: "Api", asked: "Asked") -> "Answer | None":
    """What is not about objects; None where it is."""
    from tests.kube.api import Answer

    path, wanted = asked.path, asked.headers.get("accept", "")
    if path in ("/healthz", "/livez", "/readyz"):
        return Answer(200, "ok")
    if path == "/version":
        minor = api.version.split(".")[1]
        return Answer(200, {"major": "1", "minor": minor, "gitVersion": api.version})
    kinds = list(api.store.kinds.values())
    if path in ("/api", "/apis"):
        ours = [one for one in kinds if bool(one.group) == (path == "/apis")]
        if api.aggregates and "APIGroupDiscoveryList" in wanted:
            form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return Answer(200, _aggregated(ours), (("Content-Type", form),))
        return Answer(
            200, _groups(ours) if path == "/apis" else {"kind": "APIVersions", "versions": ["v1"]}
        )
    if path == "/openapi/v3":
        places = sorted({_place(one) for one in kinds})
        urls = {place: {"serverRelativeURL": f"/openapi/v3/{place}?hash=1"} for place in places}
        return Answer(200, {"paths": urls})
    if path.startswith("/openapi/v3/"):
        return Answer(200, _openapi(api.store, path.removeprefix("/openapi/v3/")))
    if found := re.fullmatch(r"/(?:api|apis)/([^/]+(?:/v[^/]+)?)", path):
        listed = [one for one in kinds if one.api_version == found[1]]
        if not listed:
            raise answers.no_path()
        return Answer(200, _resources(found[1], listed))
    return None


def listed(store: Store, kind: Kind, namespace: str | None, query: dict[str, str]) -> Object:
    found = [one for one in store.all(kind, namespace) if is_selected(one, query)]
    start = int(query.get("continue") or 0)
    limit = int(query.get("limit") or 0) or len(found)
    metadata: dict[str, Any] = {"resourceVersion": str(store.version)}
    if start + limit < len(found):
        metadata |= {
            "continue": str(start + limit),
            "remainingItemCount": len(found) - start - limit,
        }
    items = [
        {k: v for k, v in one.items() if k not in ("apiVersion", "kind")}
        for one in found[start : start + limit]
    ]
    return {
        "apiVersion": kind.api_version,
        "kind": f"{kind.kind}List",
        "metadata": metadata,
        "items": items,
    }


def is_selected(item: Object, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels") or {}
    return _is_labelled(labels, query.get("labelSelector") or "") and all(
        _field(item, one) for one in (query.get("fieldSelector") or "").split(",") if one
    )


def _is_labelled(labels: dict[str, str], selector: str) -> bool:
    for found in _IN.finditer(selector):
        values = {word.strip() for word in found["values"].split(",")}
        if (labels.get(found["key"]) in values) != (found["op"] == "in"):
            return False
    for term in _IN.sub("", selector).split(","):
        term = term.strip()
        if not term:
            continue
        if said := _TERM.match(term):
            is_so = labels.get(said["key"]) == said["value"]
            if is_so == (said["op"] == "!="):
                return False
        elif term.startswith("!") == (term.lstrip("!") in labels):
            return False
    return True


def _field(item: Object, term: str) -> bool:
    said = _TERM.match(term)
    if said is None:
        raise Refused(400, "BadRequest", f"invalid field selector {term}")
    value: Any = item
    for part in said["key"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return (str(value or "") == said["value"]) != (said["op"] == "!=")


def _place(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.api_version}"


def _aggregated(kinds: list[Kind]) -> Object:
    groups: dict[str, dict[str, list[Object]]] = {}
    for one in kinds:
        resource = {
            "resource": one.plural,
            "responseKind": {"group": one.group, "version": one.version, "kind": one.kind},
            "scope": "Namespaced" if one.namespaced else "Cluster",
            "singularResource": one.kind.lower(),
            "verbs": _VERBS,
            "subresources": [{"subresource": part, "verbs": ["get"]} for part in one.subresources],
        }
        groups.setdefault(one.group, {}).setdefault(one.version, []).append(resource)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {"version": version, "resources": resources, "freshness": "Current"}
                    for version, resources in versions.items()
                ],
            }
            for group, versions in groups.items()
        ],
    }


def _groups(kinds: list[Kind]) -> Object:
    groups: dict[str, list[Object]] = {}
    for one in kinds:
        entry = {"groupVersion": one.api_version, "version": one.version}
        if entry not in groups.setdefault(one.group, []):
            groups[one.group].append(entry)
    listed = [
        {"name": name, "versions": versions, "preferredVersion": versions[0]}
        for name, versions in groups.items()
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def _resources(api_version: str, kinds: list[Kind]) -> Object:
    resources: list[Object] = []
    for one in kinds:
        entry = {
            "name": one.plural,
            "singularName": one.kind.lower(),
            "namespaced": one.namespaced,
            "kind": one.kind,
            "verbs": _VERBS,
        }
        resources.append(entry)
        resources += [{**entry, "name": f"{one.plural}/{part}"} for part in one.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": resources,
    }


def _openapi(store: Store, place: str) -> Object:
    """Of a group and version: the parameters of a patch, and what definitions gave as schema."""
    ours = [one for one in store.kinds.values() if _place(one) == place]
    if not ours:
        raise answers.no_path()
    paths: Object = {}
    components: Object = {}
    for one in ours:
        where = "/namespaces/{namespace}" if one.namespaced else ""
        about = {"group": one.group, "version": one.version, "kind": one.kind}
        parameters = [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in ("dryRun", "fieldManager", "fieldValidation", "force")
        ]
        patch = {
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": about,
            "parameters": parameters,
            "responses": {},
        }
        paths[f"/{place}{where}/{one.plural}/{{name}}"] = {"patch": patch}
        if one.is_custom:
            schema = json.loads(json.dumps(getattr(one.typed, "_schema", {})))
            components[f"{one.group}.{one.version}.{one.kind}"] = {
                **schema,
                "x-kubernetes-group-version-kind": [about],
            }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.33.2"},
        "paths": paths,
        "components": {"schemas": components},
    }
