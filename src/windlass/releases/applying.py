"""Brings the documents of one stage into the cluster, each for itself (K-098, K-099)."""

import asyncio
from collections.abc import Callable, Sequence

from windlass.adapters.kube import Client, Ref
from windlass.adapters.kube import errors as kube_errors
from windlass.adapters.kube.errors import Invalid, KubeError
from windlass.releases import objects, saying
from windlass.releases.models import Item, Result, Wishes
from windlass.releases.objects import Object
from windlass.releases.phases import DONE, Outcome

_LOOK_SECONDS = 0.5
# What becomes of an object that is not wanted any more.
GONE, GOING, KEPT, FOREIGN = "gone", "going", "kept", "foreign"


class Later(Exception):
    """The cluster cannot do it now, but perhaps soon; what was done so far is in the results."""

    def __init__(self, cause: KubeError) -> None:
        super().__init__(saying.line(cause))
        self.seconds = cause.retry_after if isinstance(cause, kube_errors.TooMany) else 2.0


class Stage:
    """What is the same for all documents of a revision."""

    def __init__(
        self,
        kube: Client,
        *,
        release: str,
        namespace: str,
        wishes: Wishes,
        may_cluster_wide: bool,
        is_late: Callable[[], bool],
    ) -> None:
        self.kube = kube
        self.release = release
        self.namespace = namespace
        self.wishes = wishes
        self.may_cluster_wide = may_cluster_wide
        self.is_late = is_late

    async def apply(self, documents: Sequence[Object], results: Sequence[Result]) -> None:
        """In this order; the results say what became of each. One that is refused does not keep
        the others back. Raises Later, and what concerns the cluster as a whole."""
        for document, result in zip(documents, results, strict=True):
            if result.outcome in DONE:
                continue
            try:
                await self._one(document, result)
            except WHOLE:
                raise
            except KubeError as error:
                if error.may_pass and not self.is_late():
                    raise Later(error) from error
                result.outcome = Outcome.failed
                result.message, result.hint = saying.said(error)

    async def _one(self, document: Object, result: Result) -> None:
        ref = Ref.of(document, namespace=self.namespace)
        found = (await self.kube.discover()).find(ref.api_version, ref.kind)
        if found is not None and not found.namespaced and not self._may_be_wide(ref):
            result.outcome = Outcome.failed
            result.message = f"{ref.kind} counts for the whole cluster"
            result.hint = "Say `clusterWide`, as an admin of the cluster, or leave it out."
            return
        live = await objects.live_of(self.kube, ref)
        if live is not None and (other := objects.release_of(live)) not in (None, self.release):
            result.outcome = Outcome.failed
            result.message = f"It belongs to another release ({other})"
            result.hint = "Give it another name, or delete it from the other release first."
            return
        document = objects.sent(document, self.namespace, self.release)
        is_forced = result.item.title in self.wishes.force
        try:
            applied = await self.kube.apply(document, namespace=self.namespace, force=is_forced)
        except Invalid as error:
            fields = objects.fixed_fields(error, live, document)
            if not fields:
                raise
            if result.item.title not in self.wishes.recreate:
                result.outcome = Outcome.failed
                result.message = f"These fields cannot be changed: {', '.join(fields)}"
                result.hint = "Confirm that it is deleted and made anew (recreate), or change it."
                return
            await self._remove(ref, objects.uid_of(live or {}))
            applied = await self.kube.apply(document, namespace=self.namespace)
            result.outcome = Outcome.recreated
        else:
            result.outcome = _outcome(live, applied.object)
        result.warnings = list(applied.warnings)
        result.message = result.hint = ""

    def _may_be_wide(self, ref: Ref) -> bool:
        return self.may_cluster_wide or (ref.kind == "Namespace" and ref.name == self.namespace)

    async def _remove(self, ref: Ref, uid: str) -> None:
        """Delete it and wait until it is gone."""
        await self.kube.delete(ref, propagation="Foreground", uid=uid or None)
        while (live := await objects.live_of(self.kube, ref)) and objects.uid_of(live) == uid:
            if self.is_late():
                raise kube_errors.Broken("it was deleted to be made anew, and does not go")
            await asyncio.sleep(_LOOK_SECONDS)

    async def make_namespace(self) -> None:
        """The release's own, where it is not there. It is nobody's to delete with the release."""
        ref = Ref("v1", "Namespace", self.namespace)
        if await objects.live_of(self.kube, ref) is None:
            document = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self.namespace},
            }
            await self.kube.apply(document)

    async def prune(self, inventory: Sequence[Item], wanted: Sequence[Item]) -> list[Result]:
        """Take away what an earlier revision brought and this one does not want: only what still
        has our label, and nothing that holds data unless it was said."""
        keys = {item.key for item in wanted}
        gone = [item for item in inventory if item.key not in keys]
        return [await self.remove(item, with_data=self.wishes.with_data) for item in gone]

    async def remove(self, item: Item, *, with_data: bool) -> Result:
        """Delete one object of the release; its `state` says what became of it."""
        result = Result(index=-1, stage=-1, item=item, outcome=Outcome.skipped)
        ref = objects.ref_of(item)
        try:
            live = await objects.live_of(self.kube, ref)
            if live is None:
                result.state, result.outcome = GONE, Outcome.unchanged
                result.message = "It is gone"
            elif objects.release_of(live) != self.release:
                result.state = FOREIGN
                result.message = "It does not belong to this release any more, so it stays"
            elif objects.is_kept(live, with_data=with_data):
                result.state = KEPT
                result.message = "It is kept, because it holds data or says so itself"
            else:
                uid = objects.uid_of(live)
                await self.kube.delete(ref, propagation="Foreground", uid=uid or None)
                result.state, result.outcome = GOING, Outcome.changed
                result.message = _why_it_stays(live)
        except WHOLE:
            raise
        except KubeError as error:
            if error.may_pass and not self.is_late():
                raise Later(error) from error
            result.outcome = Outcome.failed
            result.message, result.hint = saying.said(error)
        return result


# No document can be applied when the cluster itself is not ours to talk to.
WHOLE = (
    kube_errors.Unauthorized,
    kube_errors.Untrusted,
    kube_errors.AddressNotAllowed,
    kube_errors.BadAccess,
)


def _outcome(before: Object | None, after: Object) -> Outcome:
    if before is None:
        return Outcome.created
    versions = [(one.get("metadata") or {}).get("resourceVersion") for one in (before, after)]
    return Outcome.unchanged if versions[0] == versions[1] else Outcome.changed


def _why_it_stays(live: Object) -> str:
    """Of one that was being deleted before: who has to let it go."""
    metadata = live.get("metadata") or {}
    waits = metadata.get("finalizers") or ()
    if metadata.get("deletionTimestamp") and waits:
        return f"it waits for {', '.join(map(str, waits))}"
    return ""
