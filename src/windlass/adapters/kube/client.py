"""The verbs of the API server, for objects of any kind."""

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Literal

import msgspec

from windlass.adapters.kube import discovery, errors, watching
from windlass.adapters.kube.discovery import Discovery, Resource
from windlass.adapters.kube.transport import Transport
from windlass.adapters.kube.watching import Change
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access

Object = dict[str, Any]
Propagation = Literal["Background", "Foreground", "Orphan"]
MANAGER = "windlass"
_PAGE = 500
_MOST_OBJECTS = 20_000
_PODS = Resource(group="", version="v1", kind="Pod", plural="pods", namespaced=True)
# What belongs to the server: an object that was read can be applied as it is.
_SERVERS = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation")
_SERVERS_WORDS = ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")


class Ref(msgspec.Struct, frozen=True):
    """What stands for an object."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any], *, namespace: str | None = None) -> "Ref":
        """Of an object, or of a document without a namespace that belongs into `namespace`."""
        metadata: Mapping[str, Any] = document.get("metadata") or {}
        return cls(
            str(document.get("apiVersion") or ""),
            str(document.get("kind") or ""),
            str(metadata.get("name") or ""),
            metadata.get("namespace") or namespace,
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else self.titled

    @property
    def titled(self) -> str:
        return f"{self.kind} {self.name}"


class Applied(msgspec.Struct, frozen=True):
    """An object as the server has it now, and what it warned of."""

    object: Object
    warnings: tuple[str, ...] = ()


class Listing(msgspec.Struct, frozen=True):
    items: list[Object]
    version: str
    """From where a watch goes on."""


class Version(msgspec.Struct, frozen=True):
    """`text` is v1.33.2+k3s1 and the like, `minor` is 1.33."""

    text: str
    minor: str


class Client:
    """One cluster, connected while it is entered. `discovered` is what `discover` gave before: then
    nothing is asked before the first request."""

    def __init__(
        self,
        access: Access,
        *,
        allow: AddressPolicy,
        discovered: Discovery | None = None,
        seconds: float = 30.0,
    ) -> None:
        self._http = Transport(access, allow=allow, seconds=seconds)
        self._seconds = seconds
        self._known = discovered

    async def __aenter__(self) -> "Client":
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def version(self) -> Version:
        found = await self._json("GET", "/version")
        text = str(found.get("gitVersion") or "")
        if not text:
            raise errors.Broken("this is no Kubernetes: its /version names none")
        # Providers write 33+ for the minor one.
        return Version(text, f"{found.get('major')}.{str(found.get('minor')).rstrip('+')}")

    async def discover(self, *, anew: bool = False) -> Discovery:
        """All kinds: two requests, once for each client."""
        if self._known is None or anew:
            accept = {"accept": discovery.ACCEPT}
            core = await self._json("GET", "/api", headers=accept)
            rest = await self._json("GET", "/apis", headers=accept)
            if discovery.is_aggregated(core) and discovery.is_aggregated(rest):
                self._known = Discovery.of(core, rest)
            else:
                self._known = await self._one_by_one(rest)
        return self._known

    async def get(self, ref: Ref) -> Object:
        """Raises NotFound."""
        resource = await self._resource(ref.api_version, ref.kind)
        return await self._json("GET", resource.path(ref.namespace, ref.name))

    async def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> Listing:
        """All objects, in pages of 500; without a namespace those of all. Each says its kind."""
        path = (await self._resource(api_version, kind)).path(namespace)
        items: list[Object] = []
        params = _selected(labels, fields) | {"limit": str(_PAGE)}
        while True:
            found = await self._json("GET", path, params=params)
            metadata = found.get("metadata") or {}
            # In a list the items do not say what they are.
            items += [
                {"apiVersion": api_version, "kind": kind, **one} for one in found.get("items") or ()
            ]
            if not (more := metadata.get("continue")):
                return Listing(items, str(metadata.get("resourceVersion") or ""))
            if len(items) >= _MOST_OBJECTS:
                raise errors.Broken(f"it has more than {_MOST_OBJECTS} objects of kind {kind}")
            params["continue"] = str(more)

    async def apply(
        self,
        document: Mapping[str, Any],
        *,
        namespace: str | None = None,
        dry_run: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Applied:
        """Make it so, in our name: server-side apply, strict about fields. Raises Conflict where
        others own a field (`force` takes it from them), Invalid, Denied, Forbidden, …"""
        ref = Ref.of(document, namespace=namespace)
        resource = await self._resource(ref.api_version, ref.kind)
        params = {"fieldManager": manager, "fieldValidation": "Strict"}
        params |= {"force": "true"} if force else {}
        params |= {"dryRun": "All"} if dry_run else {}
        answer = await self._http.request(
            "PATCH",
            resource.path(ref.namespace, ref.name),
            params=params,
            # JSON is YAML, and nobody reads it differently.
            content=msgspec.json.encode(_own(document, ref, resource)),
            headers={"content-type": "application/apply-patch+yaml"},
        )
        return Applied(_object(answer.body), answer.warnings)

    async def delete(
        self,
        ref: Ref,
        *,
        propagation: Propagation = "Background",
        uid: str | None = None,
        dry_run: bool = False,
    ) -> bool:
        """False when it was gone already. With `uid`, another object of the same name stays."""
        try:
            resource = await self._resource(ref.api_version, ref.kind)
            options: Object = {
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": propagation,
            }
            options |= {"preconditions": {"uid": uid}} if uid else {}
            options |= {"dryRun": ["All"]} if dry_run else {}
            await self._http.request(
                "DELETE",
                resource.path(ref.namespace, ref.name),
                content=msgspec.json.encode(options),
                headers={"content-type": "application/json"},
            )
        except (errors.NotFound, errors.NoSuchKind):
            return False
        return True

    async def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        version: str,
        labels: str = "",
        fields: str = "",
        seconds: int = 300,
    ) -> AsyncIterator[Change]:
        """What happens after `version` (of a `Listing`), with bookmarks, for `seconds`; go on from
        the last change's version. Raises Expired when that is too long ago: list anew. Close it
        (`contextlib.aclosing`) where you leave early."""
        path = (await self._resource(api_version, kind)).path(namespace)
        params = _selected(labels, fields) | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        async with self._http.stream(
            path, params=params, silence_seconds=seconds + self._seconds
        ) as parts:
            async for line in watching.lines(parts):
                yield watching.change(line)

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        tail: int | None = None,
        previous: bool = False,
        follow: bool = False,
        timestamps: bool = False,
        most_bytes: int = 1 << 20,
        silence_seconds: float = 3600.0,
    ) -> AsyncIterator[bytes]:
        """What a container says, as it comes: `most_bytes` of it, or all and on where followed.
        Close it (`contextlib.aclosing`) where you leave early."""
        params = {"container": container} if container else {}
        params |= {"tailLines": str(tail)} if tail is not None else {}
        params |= {"previous": "true"} if previous else {}
        params |= {"timestamps": "true"} if timestamps else {}
        params |= {"follow": "true"} if follow else {"limitBytes": str(most_bytes)}
        path = f"{_PODS.path(namespace, pod)}/log"
        silence = silence_seconds if follow else self._seconds
        async with self._http.stream(path, params=params, silence_seconds=silence) as parts:
            async for part in parts:
                yield part

    async def may(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str | None = None,
        name: str | None = None,
    ) -> bool:
        """Whether whoever we are may do this; `resource` is a plural, `pods/log` a part of one."""
        plural, _, part = resource.partition("/")
        asked = {"verb": verb, "group": group, "resource": plural}
        asked |= {"subresource": part} if part else {}
        asked |= {"namespace": namespace} if namespace else {}
        asked |= {"name": name} if name else {}
        found = await self._review(
            "authorization.k8s.io", "SelfSubjectAccessReview", {"resourceAttributes": asked}
        )
        return bool((found.get("status") or {}).get("allowed"))

    async def whoami(self) -> str:
        """What the cluster calls us; "" where it is older than 1.28."""
        try:
            found = await self._review("authentication.k8s.io", "SelfSubjectReview", None)
        except errors.NotFound:
            return ""
        return str(((found.get("status") or {}).get("userInfo") or {}).get("username") or "")

    async def openapi(self, api_version: str) -> bytes:
        """The OpenAPI document of a group and version, for `charts.schemas.from_openapi`."""
        place = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        return (await self._http.request("GET", f"/openapi/v3/{place}")).body

    async def _review(self, group: str, kind: str, spec: Object | None) -> Object:
        body: Object = {"apiVersion": f"{group}/v1", "kind": kind}
        body |= {"spec": spec} if spec else {}
        answer = await self._http.request(
            "POST",
            f"/apis/{group}/v1/{kind.lower()}s",
            content=msgspec.json.encode(body),
            headers={"content-type": "application/json"},
        )
        return _object(answer.body)

    async def _resource(self, api_version: str, kind: str) -> Resource:
        """Where a kind is; one that is not known is asked for again, as somebody may just have
        defined it. Raises NoSuchKind."""
        was_known = self._known is not None
        found = (await self.discover()).find(api_version, kind)
        if found is None and was_known:
            found = (await self.discover(anew=True)).find(api_version, kind)
        if found is None:
            raise errors.NoSuchKind(f"the cluster has no kind {kind} in {api_version}")
        return found

    async def _one_by_one(self, groups: Object) -> Discovery:
        """Of a server that does not aggregate: a request for each group and version."""
        versions = ["v1"]
        for group in groups.get("groups") or ():
            versions += [str(one["groupVersion"]) for one in group.get("versions") or ()]
        found: dict[tuple[str, str], Resource] = {}
        for version in versions:
            place = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                answer = await self._json("GET", place)
            except (errors.NotFound, errors.Broken):
                continue  # An aggregated API whose server is away takes no other with it.
            for one in discovery.of_list(version, answer):
                found.setdefault((one.api_version, one.kind), one)
        return Discovery(found)

    async def _json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        return _object(
            (await self._http.request(method, path, params=params, headers=headers)).body
        )


def _object(body: bytes) -> Object:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise errors.Broken("it answered something that is no JSON") from None
    if not isinstance(found, dict):
        raise errors.Broken("it answered something that is no object")
    return found


def _own(document: Mapping[str, Any], ref: Ref, resource: Resource) -> Object:
    """Without what only the server decides, and with the namespace that the path names."""
    dropped = {*_SERVERS, *_SERVERS_WORDS}
    metadata = {k: v for k, v in (document.get("metadata") or {}).items() if k not in dropped}
    if resource.namespaced and ref.namespace:
        metadata["namespace"] = ref.namespace
    return {**{k: v for k, v in document.items() if k != "status"}, "metadata": metadata}


def _selected(labels: str, fields: str) -> dict[str, str]:
    found = {"labelSelector": labels} if labels else {}
    return found | ({"fieldSelector": fields} if fields else {})
