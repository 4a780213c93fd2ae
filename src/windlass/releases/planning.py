"""What a deployment would do, asked of the cluster without changing anything."""

from collections.abc import Sequence
from typing import Any

import msgspec

from windlass.adapters.kube import Client, Ref
from windlass.adapters.kube import errors as kube_errors
from windlass.adapters.kube.errors import Conflict, Invalid, KubeError
from windlass.releases import objects, saying
from windlass.releases.models import Item, Wishes
from windlass.releases.objects import Object
from windlass.releases.schemas import ChangeOut, DocumentPlan


class Plan(msgspec.Struct, frozen=True):
    documents: list[DocumentPlan]
    prunes: list[DocumentPlan]
    needs_namespace: bool


class Planner:
    """Plans one revision of one release."""

    def __init__(
        self, kube: Client, *, release: str, namespace: str, wishes: Wishes, may_cluster_wide: bool
    ) -> None:
        self._kube = kube
        self._release = release
        self._namespace = namespace
        self._wishes = wishes
        self._may_cluster_wide = may_cluster_wide

    async def plan(self, documents: Sequence[Object], inventory: Sequence[Item]) -> Plan:
        """In the order of applying. Raises KubeError when the cluster itself cannot be asked."""
        from windlass.charts.stages import Givers, stages

        await self._kube.discover()
        is_there = await objects.live_of(self._kube, Ref("v1", "Namespace", self._namespace))
        givers = Givers(documents)
        brings = givers.brings_namespace(self._namespace) or self._wishes.create_namespace
        found: list[DocumentPlan] = []
        for index in (index for stage in stages(documents) for index in stage):
            document = documents[index]
            if later := await self._later(document, givers, is_there is not None, brings):
                item = self._item(document)
                found.append(planned(item, "later", message=later))
                continue
            found.append(await self._one(document))
        keys = {self._item(document).key for document in documents}
        prunes = [await self._prune(item) for item in inventory if item.key not in keys]
        return Plan(found, prunes, is_there is None and not brings)

    def _item(self, document: Object) -> Item:
        ref = Ref.of(document, namespace=self._namespace)
        return Item(ref.api_version, ref.kind, ref.name, ref.namespace or "")

    async def _later(
        self, document: Object, givers: Any, is_there: bool, brings: bool
    ) -> str | None:
        """Why the cluster cannot be asked about this document yet."""
        item = self._item(document)
        kinds = await self._kube.discover()
        known = kinds.find(item.api_version, item.kind)
        if known is None and (definition := givers.kind_of(document)):
            return f"It cannot be checked before {definition} is there"
        if known is not None and known.namespaced and not is_there and brings:
            return f"It cannot be checked before the namespace {self._namespace} is there"
        return None

    async def _one(self, document: Object) -> DocumentPlan:
        item, ref = self._item(document), Ref.of(document, namespace=self._namespace)
        try:
            return await self._asked(document, item, ref)
        except (kube_errors.Unauthorized, kube_errors.Away, kube_errors.Untrusted):
            raise
        except KubeError as error:
            message, hint = saying.said(error)
            return planned(item, "refused", message=f"{message} {hint}".strip())

    async def _asked(self, document: Object, item: Item, ref: Ref) -> DocumentPlan:
        known = (await self._kube.discover()).find(ref.api_version, ref.kind)
        is_own = ref.kind == "Namespace" and ref.name == self._namespace
        if known is not None and not known.namespaced and not (self._may_cluster_wide or is_own):
            message = f"{ref.kind} counts for the whole cluster: say `clusterWide`, or leave it out"
            return planned(item, "refused", message=message)
        live = await objects.live_of(self._kube, ref)
        other = objects.release_of(live) if live is not None else None
        if other not in (None, self._release):
            return planned(item, "refused", message=f"It belongs to another release ({other})")
        is_adopted = live is not None and other is None
        wanted = objects.sent(document, self._namespace, self._release)
        force = item.title in self._wishes.force
        conflicts: list[str] = []
        try:
            try:
                applied = await self._dry(wanted, force=force)
            except Conflict as error:
                if not error.owners:
                    raise
                conflicts = saying.owners(error)
                # What it would be if it were taken over.
                applied = await self._dry(wanted, force=True)
        except Invalid as error:
            fields = objects.fixed_fields(error, live, wanted)
            if not fields or live is None:
                raise
            action = "recreate" if item.title in self._wishes.recreate else "immutable"
            message = "These fields cannot be changed: it would have to be deleted and made anew"
            if item.kind in objects.KEEPS_DATA:
                message += ", and what it holds would be lost"
            return planned(
                item,
                action,
                message=message,
                changes=_changes(live, wanted, only=fields),
                conflicts=conflicts,
                immutable=fields,
                is_adopted=is_adopted,
            )
        changes = _changes(live, applied.object)
        action = "create" if live is None else "change" if changes else "unchanged"
        return planned(
            item,
            "conflict" if conflicts else action,
            message="Others decide about fields of it" if conflicts else "",
            changes=changes,
            conflicts=conflicts,
            warnings=list(applied.warnings),
            is_adopted=is_adopted,
        )

    async def _dry(self, wanted: Object, *, force: bool) -> Any:
        return await self._kube.apply(wanted, namespace=self._namespace, dry_run=True, force=force)

    async def _prune(self, item: Item) -> DocumentPlan:
        live = await objects.live_of(self._kube, objects.ref_of(item))
        if live is None:
            return planned(item, "unchanged", message="It is gone already")
        if objects.release_of(live) != self._release:
            return planned(item, "unchanged", message="It is not this release's any more: it stays")
        if objects.is_kept(live, with_data=self._wishes.with_data):
            return planned(item, "unchanged", message="It is kept, as it holds data or says so")
        return planned(item, "prune", message="It is not in this revision any more")


def planned(
    item: Item,
    action: str,
    *,
    message: str = "",
    changes: list[ChangeOut] | None = None,
    conflicts: list[str] | None = None,
    immutable: list[str] | None = None,
    warnings: list[str] | None = None,
    is_adopted: bool = False,
) -> DocumentPlan:
    return DocumentPlan(
        api_version=item.api_version,
        kind=item.kind,
        name=item.name,
        namespace=item.namespace,
        action=action,
        message=message,
        changes=changes or [],
        conflicts=conflicts or [],
        immutable=immutable or [],
        warnings=warnings or [],
        is_adopted=is_adopted,
    )


def _changes(
    live: Object | None, wanted: Object, *, only: Sequence[str] | None = None
) -> list[ChangeOut]:
    from windlass.charts.changes import changes

    before = objects.without_label(live) if live is not None else None
    found = changes(before, objects.without_label(wanted))
    if only is not None:
        # Of the document as it was written: what it leaves out has the server's defaults.
        found = [
            one
            for one in found
            if one.after is not None and any(one.path.startswith(field) for field in only)
        ]
    return [ChangeOut(path=one.path, before=one.before, after=one.after) for one in found]
