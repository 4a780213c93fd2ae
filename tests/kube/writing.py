"""Writing an object as the API server does it: strict about fields, with defaults, with owners of
fields, with admission, and with a quota that counts."""

import copy
import itertools
from typing import Any

from tests.kube import answers, defaults, ownership
from tests.kube.kinds import Kind
from tests.kube.ownership import Conflicts, Owner
from tests.kube.store import Object, Store, now
from windlass.charts.validate import Wrong

_addresses = itertools.count(10)
_COUNTED = {
    "Pod": "pods",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}


class Writer:
    def __init__(self, store: Store) -> None:
        self._store = store
        # (kind, or "*"; what it says) of webhooks that refuse.
        self.webhooks: list[tuple[str, str, str]] = []
        self.warnings: dict[str, str] = {}

    def create(
        self,
        kind: Kind,
        item: Object,
        *,
        manager: str = "fake",
        strict: bool = False,
        dry_run: bool = False,
    ) -> Object:
        name = item["metadata"]["name"]
        if self._store.get(kind, item["metadata"].get("namespace"), name) is not None:
            raise answers.exists(kind, name)
        found = copy.deepcopy(item)
        if kind.has_status and kind.kind not in ("Namespace", "CustomResourceDefinition"):
            found.pop("status", None)
        self._check(kind, found, strict=strict, is_apply=False)
        self._default(kind, found)
        owner = Owner(manager, "Update", kind.api_version)
        owned = ownership.updated({}, found, {}, owner, kind.typed)
        found["metadata"]["managedFields"] = ownership.written(owned, {owner: now()})
        return self._admit(kind, None, found, dry_run=dry_run)

    def apply(
        self, kind: Kind, config: Object, *, manager: str, force: bool, dry_run: bool
    ) -> tuple[Object, bool]:
        """(the object, whether it is new)."""
        config = _without_nothing(copy.deepcopy(config))
        if (config.get("metadata") or {}).get("managedFields"):
            raise answers.Refused(400, "BadRequest", "metadata.managedFields must be nil")
        config = {k: v for k, v in config.items() if k != "status" or not kind.has_status}
        name, namespace = config["metadata"]["name"], config["metadata"].get("namespace")
        self._strict(kind, config, is_apply=True)
        live = self._store.get(kind, namespace, name)
        owned, times = ownership.read(
            (live or {"metadata": {}})["metadata"].get("managedFields", [])
        )
        owner = Owner(manager, "Apply", kind.api_version)
        base = live or {}
        try:
            merged, owned_now = ownership.applied(
                base, config, owned, owner, kind.typed, force=force
            )
        except Conflicts as error:
            raise answers.conflicts(error.found, times) from None
        found = copy.deepcopy(merged)
        self._check(kind, found, strict=False, is_apply=True)
        self._default(kind, found)
        if live is None or owned_now.get(owner) != owned.get(owner):
            times = {**times, owner: now()}
        found["metadata"]["managedFields"] = ownership.written(owned_now, {owner: now(), **times})
        return self._admit(kind, live, found, dry_run=dry_run), live is None

    def replace(
        self,
        kind: Kind,
        live: Object,
        item: Object,
        *,
        manager: str,
        subresource: str = "",
        strict: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """PUT and the simpler patches. A subresource writes its own part only."""
        given = item.get("metadata", {}).get("resourceVersion")
        if given and given != live["metadata"]["resourceVersion"]:
            raise answers.changed_meanwhile(kind, live["metadata"]["name"])
        found = copy.deepcopy(item)
        if subresource == "status":
            found = {**copy.deepcopy(live), "status": found.get("status", {})}
        elif kind.has_status and "status" in live:
            found["status"] = copy.deepcopy(live["status"])
        self._check(kind, found, strict=strict, is_apply=False)
        self._default(kind, found)
        owned, times = ownership.read(live["metadata"].get("managedFields", []))
        owner = Owner(manager, "Update", kind.api_version, subresource)
        owned_now = ownership.updated(live, found, owned, owner, kind.typed)
        if owned_now.get(owner) != owned.get(owner):
            times = {**times, owner: now()}
        found["metadata"]["managedFields"] = ownership.written(owned_now, {owner: now(), **times})
        stored = self._admit(kind, live, found, dry_run=dry_run)
        if stored["metadata"].get("deletionTimestamp") and not dry_run:
            self._store.remove(kind, stored)
        return stored

    def _strict(self, kind: Kind, item: Object, *, is_apply: bool) -> None:
        if (wrong := _strange(kind, item, types=not kind.is_custom)) != []:
            raise answers.strange(kind, item, wrong, is_apply=is_apply)

    def _check(self, kind: Kind, item: Object, *, strict: bool, is_apply: bool) -> None:
        if strict:
            self._strict(kind, item, is_apply=is_apply)
        found = [
            (answers.dotted(one), _words(one))
            for one in _violations(kind, item)
            if one.code not in ("unknown-field", "type")
        ]
        found += defaults.lacking(kind.kind, item)
        if found:
            raise answers.invalid(kind, item["metadata"]["name"], found)

    def _default(self, kind: Kind, item: Object) -> None:
        if kind.kind == "Job":
            live = self._store.get(
                kind, item["metadata"].get("namespace"), item["metadata"]["name"]
            )
            uid = live["metadata"]["uid"] if live else item["metadata"].get("uid")
            item["metadata"]["uid"] = uid or f"00000000-0000-4000-8000-{next(_addresses):012d}"
        defaults.fill_in(kind.kind, item, address=lambda: f"10.96.0.{next(_addresses) % 250}")

    def _admit(self, kind: Kind, live: Object | None, item: Object, *, dry_run: bool) -> Object:
        name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
        if live is not None and (found := defaults.frozen(kind.kind, live, item)):
            raise answers.invalid(kind, name, found)
        if kind.namespaced:
            self._enter(kind, str(namespace), name, is_new=live is None)
        for about, webhook, message in self.webhooks:
            if about in (kind.kind, "*"):
                raise answers.denied(webhook, message)
        if live is None and kind.namespaced:
            self._count(kind, str(namespace), name)
        if dry_run:
            shown = copy.deepcopy(item)
            shown["metadata"].setdefault("uid", "00000000-0000-4000-8000-000000000000")
            shown["metadata"].setdefault("creationTimestamp", now())
            return shown
        return self._store.put(kind, item)

    def _enter(self, kind: Kind, namespace: str, name: str, *, is_new: bool) -> None:
        space = self._store.kind("v1", "Namespace")
        found = self._store.get(space, None, namespace)
        if found is None:
            raise answers.not_found(space, namespace)
        if is_new and found["metadata"].get("deletionTimestamp"):
            raise answers.terminating(kind, name, namespace)

    def _count(self, kind: Kind, namespace: str, name: str) -> None:
        quotas = self._store.all(self._store.kind("v1", "ResourceQuota"), namespace)
        what = f"count/{kind.resource}"
        for quota in quotas:
            hard = (quota.get("spec") or {}).get("hard") or {}
            for word in {what, _COUNTED.get(kind.kind, what)}:
                used = len(self._store.all(kind, namespace))
                if word in hard and used + 1 > int(hard[word]):
                    title = quota["metadata"]["name"]
                    raise answers.over_quota(kind, name, title, word, used, str(hard[word]))


def _violations(kind: Kind, item: Object) -> list[Wrong]:
    if kind.check is None:
        return []
    shown = {key: value for key, value in item.items() if key != "status"}
    shown["metadata"] = {
        key: value for key, value in shown["metadata"].items() if key != "managedFields"
    }
    return kind.check(shown) or []


def _strange(kind: Kind, item: Object, *, types: bool) -> list[Wrong]:
    codes = ("unknown-field", "type") if types else ("unknown-field",)
    return [one for one in _violations(kind, item) if one.code in codes]


def _words(one: Wrong) -> str:
    match one.code:
        case "required":
            return "Required value"
        case "enum":
            return f"Unsupported value: supported values: {one.expected.partition(': ')[2]}"
        case _:
            return f"Invalid value: {one.message}"


def _without_nothing(value: Any) -> Any:
    """Null is as good as absent."""
    if isinstance(value, dict):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value
