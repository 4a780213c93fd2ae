"""The API server's paths: who asks, whether they may, and the verbs."""

import json
import re
from typing import Any, NamedTuple

import yaml

from tests.kube import answers, finding, patching, protobuf
from tests.kube.answers import Refused
from tests.kube.kinds import Kind
from tests.kube.store import Happened, Object, Store
from tests.kube.writing import Writer

_OBJECT = re.compile(
    r"^/(?:api/(?P<core>v\d\w*)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>\w+))?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OPEN = ("/version", "/healthz", "/livez", "/readyz")


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    user: str | None


class Answer(NamedTuple):
    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


class Watching(NamedTuple):
    """The answer is a stream of what happens to these."""

    kind: Kind
    namespace: str | None
    query: dict[str, str]


class Logging(NamedTuple):
    """The answer is what a container says."""

    key: tuple[str, str, str]
    query: dict[str, str]


class Rule(NamedTuple):
    """What somebody may not do; "" stands for all."""

    verb: str
    resource: str
    namespace: str


class Api:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.writer = Writer(store)
        self.forbidden: list[Rule] = []
        self.version = "v1.33.2"
        self.aggregates = True
        # What containers said, by (namespace, pod, container); "container/previous" before that.
        self.logs: dict[tuple[str, str, str], str] = {}

    def answer(self, asked: Asked) -> Answer | Watching | Logging:
        if asked.user is None and asked.path not in _OPEN:
            raise Refused(401, "Unauthorized", "Unauthorized")
        if (found := finding.answer(self, asked)) is not None:
            return found
        if asked.method == "POST" and asked.path.endswith("reviews"):
            return self._review(asked)
        kind, namespace, name, part = self._where(asked.path)
        verb = _verb(asked, name)
        plural = kind.plural + (f"/{part}" if part else "")
        if not self.may(verb, plural, namespace or ""):
            raise answers.forbidden(str(asked.user), verb, kind, namespace, name)
        with self.store.lock:
            if part:
                return self._part(asked, kind, namespace, name, part)
            return self._verb(asked, verb, kind, namespace, name)

    def _verb(
        self, asked: Asked, verb: str, kind: Kind, namespace: str | None, name: str
    ) -> Answer | Watching:
        match verb:
            case "watch":
                return Watching(kind, namespace, asked.query)
            case "list":
                return Answer(200, finding.listed(self.store, kind, namespace, asked.query))
            case "get":
                return Answer(200, self._live(kind, namespace, name))
            case "create":
                return self._create(asked, kind, namespace)
            case "update":
                live = self._live(kind, namespace, name)
                item = self._named(_body(asked), kind, namespace)
                return self._written(asked, kind, live, item)
            case "patch":
                return self._patch(asked, kind, namespace, name)
            case "delete" | "deletecollection":
                return self._delete(asked, kind, namespace, name)
            case _:
                raise Refused(405, "MethodNotAllowed", f"{verb} is not supported here")

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        return not any(
            rule.verb in ("", verb)
            and rule.resource in ("", resource)
            and rule.namespace in ("", namespace)
            for rule in self.forbidden
        )

    def _where(self, path: str) -> tuple[Kind, str | None, str, str]:
        found = _OBJECT.match(path)
        if found is None:
            raise answers.no_path()
        part = found["part"] or ""
        namespace, plural, name = found["namespace"], found["plural"], found["name"] or ""
        api_version = found["core"] or f"{found['group']}/{found['version']}"
        kind = self.store.kinds.get((api_version, plural))
        if kind is None and namespace and plural in ("status", "finalize"):
            # /api/v1/namespaces/x/status is a part of the namespace itself.
            return self.store.kinds["v1", "namespaces"], None, namespace, plural
        if kind is None or (part and part not in kind.subresources):
            raise answers.no_path()
        return kind, namespace if kind.namespaced else None, name, part

    def _live(self, kind: Kind, namespace: str | None, name: str) -> Object:
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise answers.not_found(kind, name)
        return {**found, "apiVersion": kind.api_version, "kind": kind.kind}

    def _create(self, asked: Asked, kind: Kind, namespace: str | None) -> Answer:
        item = self._named(_body(asked), kind, namespace)
        made = self.writer.create(kind, item, **_how(asked))
        return Answer(201, made, self._warned(kind))

    def _written(self, asked: Asked, kind: Kind, live: Object, item: Object) -> Answer:
        stored = self.writer.replace(kind, live, item, **_how(asked))
        return Answer(200, stored, self._warned(kind))

    def _patch(self, asked: Asked, kind: Kind, namespace: str | None, name: str) -> Answer:
        form = asked.headers.get("content-type", "")
        body = _body(asked)
        if form != "application/apply-patch+yaml":
            live = self._live(kind, namespace, name)
            return self._written(asked, kind, live, patching.patched(live, body, form, kind.typed))
        manager = asked.query.get("fieldManager")
        if not manager:
            what = "fieldManager: Required value: is required for apply patch"
            raise Refused(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {what}')
        config = self._named(body, kind, namespace)
        if config["metadata"]["name"] != name:
            raise Refused(400, "BadRequest", "metadata.name does not match the name in the path")
        stored, is_new = self.writer.apply(
            kind,
            config,
            manager=manager,
            force=asked.query.get("force") == "true",
            dry_run=asked.query.get("dryRun") == "All",
        )
        return Answer(201 if is_new else 200, stored, self._warned(kind))

    def _delete(self, asked: Asked, kind: Kind, namespace: str | None, name: str) -> Answer:
        options = _body(asked) if asked.body else {}
        found = [self._live(kind, namespace, name)] if name else self.store.all(kind, namespace)
        policy = options.get("propagationPolicy") or asked.query.get("propagationPolicy")
        wanted = (options.get("preconditions") or {}).get("uid")
        dry_run = bool(options.get("dryRun")) or asked.query.get("dryRun") == "All"
        for item in found:
            if wanted and item["metadata"]["uid"] != wanted:
                raise answers.changed_meanwhile(kind, item["metadata"]["name"])
            if not dry_run:
                self.store.remove(kind, item, orphan=policy == "Orphan")
        return Answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _part(
        self, asked: Asked, kind: Kind, namespace: str | None, name: str, part: str
    ) -> Answer | Logging:
        live = self._live(kind, namespace, name)
        if part == "log":
            container = asked.query.get("container") or live["spec"]["containers"][0]["name"]
            said = f"{container}/previous" if asked.query.get("previous") else container
            return Logging((str(namespace), name, said), asked.query)
        if part == "scale":
            return self._scale(asked, kind, live)
        if asked.method == "GET":
            return Answer(200, live)
        body = _body(asked)
        if asked.method == "PATCH":
            body = patching.patched(live, body, asked.headers["content-type"], kind.typed)
        stored = self.writer.replace(kind, live, body, **_how(asked), subresource=part)
        return Answer(200, stored)

    def _scale(self, asked: Asked, kind: Kind, live: Object) -> Answer:
        if asked.method in ("PUT", "PATCH"):
            replicas = _body(asked)["spec"]["replicas"]
            item = {**live, "spec": {**live["spec"], "replicas": replicas}}
            live = self.writer.replace(kind, live, item, **_how(asked))
        return Answer(
            200,
            {
                "apiVersion": "autoscaling/v1",
                "kind": "Scale",
                "metadata": {k: live["metadata"][k] for k in ("name", "namespace", "uid")},
                "spec": {"replicas": live["spec"].get("replicas", 1)},
            },
        )

    def _named(self, item: Object, kind: Kind, namespace: str | None) -> Object:
        metadata = item.setdefault("metadata", {})
        if (item.get("apiVersion"), item.get("kind")) != (kind.api_version, kind.kind):
            raise Refused(400, "BadRequest", "apiVersion and kind do not match the path")
        if kind.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            raise Refused(
                400,
                "BadRequest",
                "the namespace of the provided object does not match the namespace sent on the "
                "request",
            )
        name = str(metadata.get("name") or "")
        if not name and metadata.get("generateName"):
            name = metadata["name"] = f"{metadata['generateName']}{self.store.version:05x}"
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name) and "rbac" not in kind.group:
            raise answers.invalid(
                kind, name, [("metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123…')]
            )
        return item

    def _warned(self, kind: Kind) -> tuple[tuple[str, str], ...]:
        text = self.writer.warnings.get(kind.kind)
        return (("Warning", f'299 - "{text}"'),) if text else ()

    def _review(self, asked: Asked) -> Answer:
        body = _body(asked)
        if asked.path.endswith("/selfsubjectreviews"):
            status = {"userInfo": {"username": asked.user, "groups": ["system:authenticated"]}}
        else:
            about = body["spec"].get("resourceAttributes") or {}
            part = f"/{about['subresource']}" if about.get("subresource") else ""
            allowed = self.may(
                about.get("verb", ""), about.get("resource", "") + part, about.get("namespace", "")
            )
            status = {"allowed": allowed}
        return Answer(201, {**body, "metadata": {}, "status": status})

    def is_watched(self, watching: Watching, one: Happened) -> bool:
        return (
            one.key[:2] == (watching.kind.group, watching.kind.plural)
            and watching.namespace in (None, one.key[2])
            and finding.is_selected(one.object, watching.query)
        )


def _verb(asked: Asked, name: str) -> str:
    if asked.method == "GET":
        if asked.query.get("watch") in ("true", "1"):
            return "watch"
        return "get" if name else "list"
    if asked.method == "DELETE" and not name:
        return "deletecollection"
    return _VERBS[asked.method]


def _how(asked: Asked) -> dict[str, Any]:
    agent = asked.headers.get("user-agent", "fake").partition("/")[0]
    return {
        "manager": asked.query.get("fieldManager") or agent,
        "strict": asked.query.get("fieldValidation") == "Strict",
        "dry_run": asked.query.get("dryRun") == "All",
    }


def _body(asked: Asked) -> Any:
    try:
        if "protobuf" in asked.headers.get("content-type", ""):
            return protobuf.decoded(asked.body)
        if "json" in asked.headers.get("content-type", "json"):
            return json.loads(asked.body)
        return yaml.safe_load(asked.body)
    except (ValueError, yaml.YAMLError) as error:
        raise Refused(400, "BadRequest", f"error parsing: {error}") from None
