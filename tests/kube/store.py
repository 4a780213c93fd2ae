"""Where the objects are: with versions, a history that can be watched, namespaces that end, and
what belongs to something that is gone."""

import copy
import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.kube import kinds
from tests.kube.kinds import Kind

Object = dict[str, Any]
Key = tuple[str, str, str, str]


class Happened(NamedTuple):
    version: int
    type: str
    key: Key
    object: Object


class Store:
    """Everything is done with `lock` held. `woken` is called after each change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.objects: dict[Key, Object] = {}
        self.history: list[Happened] = []
        self.version = 100
        self.oldest = 100
        self.extensions: set[str] = set()
        self.kinds = kinds.built_in(self.extensions)
        self.woken: Callable[[], None] = lambda: None
        # Namespaces that stay Terminating until somebody lets them go.
        self.lingering: set[str] = set()
        for name in ("default", "kube-system"):
            self.put(self.kind("v1", "Namespace"), _namespace(name))

    def install(self, *groups: str) -> None:
        """Add the kinds of extensions, `gateway.networking.k8s.io` and the like."""
        with self.lock:
            self.extensions |= set(groups)
            self.kinds = {**kinds.built_in(self.extensions), **self._custom()}

    def _custom(self) -> dict[tuple[str, str], Kind]:
        return {key: one for key, one in self.kinds.items() if one.is_custom}

    def kind(self, api_version: str, kind: str) -> Kind:
        for one in self.kinds.values():
            if (one.api_version, one.kind) == (api_version, kind):
                return one
        raise KeyError(f"{api_version} {kind}")

    @staticmethod
    def key(kind: Kind, namespace: str | None, name: str) -> Key:
        return kind.group, kind.plural, (namespace or "") if kind.namespaced else "", name

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        return self.objects.get(self.key(kind, namespace, name))

    def all(self, kind: Kind, namespace: str | None) -> list[Object]:
        found = [
            item
            for key, item in self.objects.items()
            if key[:2] == (kind.group, kind.plural) and namespace in (None, "", key[2])
        ]
        return sorted(found, key=lambda item: (_of(item, "namespace"), _of(item, "name")))

    def put(self, kind: Kind, item: Object) -> Object:
        """Store it as the newest version; no version is used up where nothing changed."""
        with self.lock:
            metadata = item["metadata"]
            key = self.key(kind, metadata.get("namespace"), metadata["name"])
            before = self.objects.get(key)
            if before is None:
                metadata.setdefault("uid", str(uuid.uuid4()))
                metadata.setdefault("creationTimestamp", now())
                metadata["generation"] = 1
            else:
                for field in ("uid", "creationTimestamp", "generation"):
                    metadata[field] = before["metadata"].get(field)
                if not _differs(before, item):
                    return before
                if kind.has_status and before.get("spec") != item.get("spec"):
                    metadata["generation"] = before["metadata"]["generation"] + 1
            self._next(item)
            self.objects[key] = item
            self._happen("ADDED" if before is None else "MODIFIED", key, item)
            if kind.kind == "CustomResourceDefinition":
                self._define(item)
            return item

    def remove(self, kind: Kind, item: Object, *, orphan: bool = False) -> None:
        """Delete it, with what belongs to it; what has finalizers waits for them."""
        with self.lock:
            metadata = item["metadata"]
            key = self.key(kind, metadata.get("namespace"), metadata["name"])
            if kind.kind == "Namespace" and self._linger(key, item):
                return
            if metadata.get("finalizers"):
                if not metadata.get("deletionTimestamp"):
                    changed = copy.deepcopy(item)
                    changed["metadata"]["deletionTimestamp"] = now()
                    self._replace(key, changed)
                return
            gone = copy.deepcopy(self.objects.pop(key))
            self._next(gone)
            self._happen("DELETED", key, gone)
            if kind.kind == "CustomResourceDefinition":
                self._undefine(gone)
            if not orphan:
                self._collect(metadata["uid"])

    def _linger(self, key: Key, item: Object) -> bool:
        """A namespace first loses what is in it. True while it is not gone."""
        name = key[3]
        changed = copy.deepcopy(item)
        changed["metadata"].setdefault("deletionTimestamp", now())
        changed["status"] = {"phase": "Terminating"}
        self._replace(key, changed)
        for other in [k for k in self.objects if k[2] == name]:
            found = self.objects.get(other)
            if found is not None:
                self.remove(self._kind_of(other), found)
        return name in self.lingering or any(k[2] == name for k in self.objects)

    def end_namespace(self, name: str) -> None:
        """A namespace that lingered is gone now."""
        with self.lock:
            self.lingering.discard(name)
            kind = self.kind("v1", "Namespace")
            if (found := self.get(kind, None, name)) is not None:
                self.remove(kind, found)

    def _collect(self, uid: str) -> None:
        for key, item in list(self.objects.items()):
            owners = item["metadata"].get("ownerReferences") or ()
            if owners and all(one["uid"] == uid for one in owners) and key in self.objects:
                self.remove(self._kind_of(key), item)

    def _kind_of(self, key: Key) -> Kind:
        return next(k for k in self.kinds.values() if (k.group, k.plural) == key[:2])

    def _replace(self, key: Key, item: Object) -> None:
        self._next(item)
        self.objects[key] = item
        self._happen("MODIFIED", key, item)

    def _next(self, item: Object) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)

    def _happen(self, type: str, key: Key, item: Object) -> None:
        self.history.append(Happened(self.version, type, key, copy.deepcopy(item)))
        self.woken()

    def forget_history(self) -> None:
        """As etcd does after five minutes: whoever watches from before is told 410."""
        with self.lock:
            self.version += 1
            self.oldest = self.version
            self.history.clear()
            self.woken()

    def _define(self, definition: Object) -> None:
        self.kinds = {key: one for key, one in self.kinds.items() if not _made_by(one, definition)}
        for one in kinds.custom(definition):
            self.kinds[one.api_version, one.plural] = one
        names = {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"}
        established = {"type": "Established", "status": "True", "reason": "InitialNamesAccepted"}
        definition["status"] = {"conditions": [names, established]}

    def _undefine(self, definition: Object) -> None:
        plural, group = definition["spec"]["names"]["plural"], definition["spec"]["group"]
        for key in [k for k in self.objects if k[:2] == (group, plural)]:
            del self.objects[key]
        self.kinds = {key: one for key, one in self.kinds.items() if not _made_by(one, definition)}


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of(item: Object, field: str) -> str:
    return str(item["metadata"].get(field) or "")


def _namespace(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _differs(before: Object, after: Object) -> bool:
    """Whether anything but the bookkeeping changed."""

    def rest(item: Object) -> str:
        drop = ("resourceVersion", "managedFields", "generation")
        metadata = {k: v for k, v in item["metadata"].items() if k not in drop}
        owned = [
            {k: v for k, v in one.items() if k != "time"}
            for one in item["metadata"].get("managedFields") or ()
        ]
        return json.dumps([{**item, "metadata": metadata}, owned], sort_keys=True)

    return rest(before) != rest(after)


def _made_by(kind: Kind, definition: Object) -> bool:
    spec = definition["spec"]
    return kind.is_custom and (kind.group, kind.plural) == (spec["group"], spec["names"]["plural"])
