"""Helm's verbs on a cluster: by its SDK in a child, which reaches exactly one address.

The child gets a kubeconfig with a server, a CA and a token or certificate, in a folder of its own
that is gone afterwards, however it ends. The server's address is looked at here; the child connects
through us, to that one, in the name that its certificate has to prove.
"""

import asyncio
import base64
import contextlib
import weakref
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from windlass.core.addresses import AddressPolicy, SockAddress, resolve_public
from windlass.core.clusters import Access
from windlass.core.errors import AppError
from windlass.helm import process
from windlass.helm.errors import HelmFailed
from windlass.helm.process import Revision, Values

_CONNECT_SECONDS = 10.0
# What is written down about an operation that was ended needs a moment.
_MARGIN_SECONDS = 60
# One operation on a release at a time; other processes are kept out by the lease of its row.
_LOCKS: "weakref.WeakValueDictionary[tuple[str, str, str], asyncio.Lock]" = (
    weakref.WeakValueDictionary()
)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How to deploy; a pasted command has the same words (`charts.helm.line.Line`)."""

    create_namespace: bool = False
    wait: str = ""
    wait_for_jobs: bool = False
    timeout_seconds: int = 300
    rollback_on_failure: bool = False
    cleanup_on_fail: bool = False
    history_max: int = 10
    description: str = ""
    labels: dict[str, str] = {}
    keep_values: str = ""
    skip_crds: bool = False
    no_hooks: bool = False
    confirm: tuple[str, ...] = ()


class Helm:
    """One release of one cluster."""

    def __init__(
        self, access: Access, *, allow: AddressPolicy, namespace: str, release: str
    ) -> None:
        self._access = access
        self._allow = allow
        self._namespace = namespace
        self._release = release
        key = (access.server, namespace, release)
        self._lock = _LOCKS.setdefault(key, asyncio.Lock())

    async def deploy(self, archive: bytes, values: Values, wish: Wish) -> list[Revision]:
        """`helm upgrade --install` of a chart that `archive.clean` gave; all revisions there are.

        What a killed operation left in the middle is recovered first. Raises HelmFailed.
        """
        await self.recover(seconds=wish.timeout_seconds)
        options, install, upgrade = _options(wish)
        return await self._run(
            "deploy",
            wish.timeout_seconds,
            options,
            archive=archive,
            values=values,
            install=install,
            upgrade=upgrade,
        )

    async def rollback(self, revision: int, *, seconds: int = 300) -> list[Revision]:
        return await self._run("rollback", seconds, {"version": revision})

    async def uninstall(self, *, seconds: int = 300) -> list[Revision]:
        """Nothing there is fine."""
        return await self._run("uninstall", seconds, {})

    async def history(self) -> list[Revision]:
        """Oldest first; empty for a release that is not there."""
        return await self._run("history", 30, {})

    async def recover(self, *, seconds: int = 300) -> list[Revision]:
        """Ends `pending-…`: back to what was deployed last, or away with what never was."""
        return await self._run("recover", seconds, {})

    async def _run(
        self, verb: str, seconds: int, options: dict[str, object], **more: Any
    ) -> list[Revision]:
        archive = more.pop("archive", b"")
        if verb != "history":
            options = {"timeout_seconds": seconds, **options}
        try:
            async with self._lock, _pinned(self._access, self._allow) as proxy:
                request: dict[str, object] = {
                    "verb": verb,
                    "kubeconfig": _kubeconfig(self._access, self._namespace, proxy),
                    "namespace": self._namespace,
                    "release": self._release,
                    "options": options,
                    **more,
                }
                return await process.operate(request, archive, seconds=seconds + _MARGIN_SECONDS)
        except AppError as error:
            raise HelmFailed("unreachable", error.message) from None


def _options(wish: Wish) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    """For both, for installations and for upgrades, in the words of the SDK."""
    both: dict[str, object] = {
        "wait": wish.wait or None,
        "wait_for_jobs": wish.wait_for_jobs,
        "rollback_on_failure": wish.rollback_on_failure,
        "description": wish.description or None,
        "labels": wish.labels or None,
        "skip_crds": wish.skip_crds,
        "disable_hooks": wish.no_hooks,
        "force_replace": "force" in wish.confirm or "force-replace" in wish.confirm,
        "force_conflicts": "force-conflicts" in wish.confirm,
        "take_ownership": "take-ownership" in wish.confirm,
        "skip_schema_validation": "skip-schema-validation" in wish.confirm,
        "disable_openapi_validation": "disable-openapi-validation" in wish.confirm,
    }
    upgrade: dict[str, object] = {
        "max_history": wish.history_max,
        "cleanup_on_fail": wish.cleanup_on_fail,
        "reset_values": wish.keep_values == "reset",
        "reuse_values": wish.keep_values == "reuse",
        "reset_then_reuse_values": wish.keep_values == "reset-then-reuse",
    }
    kept = {name: value for name, value in both.items() if value}
    return (
        kept,
        {"create_namespace": wish.create_namespace},
        {name: value for name, value in upgrade.items() if value},
    )


def _kubeconfig(access: Access, namespace: str, proxy: str) -> str:
    cluster: dict[str, object] = {"server": access.server, "proxy-url": proxy}
    if access.ca:
        cluster["certificate-authority-data"] = _encoded(access.ca)
    if access.insecure:
        cluster["insecure-skip-tls-verify"] = True
    if access.tls_name:
        cluster["tls-server-name"] = access.tls_name
    user: dict[str, object] = {"token": access.token} if access.token else {}
    if access.certificate and access.key:
        user["client-certificate-data"] = _encoded(access.certificate)
        user["client-key-data"] = _encoded(access.key)
    context = {"cluster": "it", "user": "it", "namespace": namespace}
    return msgspec.json.encode(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": user}],
            "contexts": [{"name": "it", "context": context}],
        }
    ).decode()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextlib.asynccontextmanager
async def _pinned(access: Access, allow: AddressPolicy) -> AsyncGenerator[str]:
    """A proxy on this machine that leads to one address only: the cluster's, as it is now."""
    parts = urlsplit(access.server)
    host, port = parts.hostname or "", parts.port or 443
    address = (await resolve_public(host, port, allow=allow))[0]
    tunnels: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        tunnels.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await _tunnel(reader, writer, f"{host}:{port}", address)
        finally:
            tunnels.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tunnels):
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        await server.wait_closed()


async def _tunnel(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    expected: str,
    address: SockAddress,
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
    asked = head[1].replace("[", "").replace("]", "") if len(head) > 1 else ""
    if head[:1] != ["CONNECT"] or asked != expected:
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await writer.drain()
        return
    async with asyncio.timeout(_CONNECT_SECONDS):
        there, back = await asyncio.open_connection(*address)
    try:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
    finally:
        back.close()
        with contextlib.suppress(OSError):
            await back.wait_closed()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await source.read(1 << 16):
            sink.write(part)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
