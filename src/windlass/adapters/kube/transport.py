"""HTTP to one cluster: to exactly the address that was looked at, with its certificate proved,
nothing followed, everything limited in time and size."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from windlass.adapters.kube import errors
from windlass.core.addresses import (
    AddressPolicy,
    AddressRefused,
    NameNotFound,
    SockAddress,
    resolve_public,
)
from windlass.core.clusters import Access

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 8.0
_MOST_BYTES = 24 << 20
_AGENT = "windlass"


class Answer:
    """A whole answer below 300."""

    def __init__(self, body: bytes, headers: Mapping[str, str], warnings: tuple[str, ...]) -> None:
        self.body = body
        self.headers = headers
        self.warnings = warnings


class Transport:
    """Connections to a cluster, kept open while it is entered."""

    def __init__(self, access: Access, *, allow: AddressPolicy, seconds: float) -> None:
        self._access = access
        self._allow = allow
        self._seconds = seconds
        self._client: httpx2.AsyncClient | None = None
        self._base: httpx2.URL | None = None
        self._headers: dict[str, str] = {}
        self._tls_name = ""

    async def __aenter__(self) -> "Transport":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One whole answer. Raises KubeError."""
        async with (
            self._timed(self._seconds),
            self._sent(
                method, path, params, content, headers, read_seconds=self._seconds
            ) as answer,
        ):
            body = await _whole(answer)
        if answer.status_code >= 300:
            raise errors.refusal(answer.status_code, body, answer.headers)
        return Answer(body, answer.headers, _warnings(answer.headers))

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str], silence_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The parts of an answer as they come; it ends as Broken where it is cut off, as Away
        after `silence_seconds` without a part."""
        async with self._sent("GET", path, params, None, None, silence_seconds) as answer:
            if answer.status_code >= 300:
                async with self._timed(self._seconds):
                    body = await _whole(answer)
                raise errors.refusal(answer.status_code, body, answer.headers)
            yield answer.aiter_bytes()

    @contextlib.asynccontextmanager
    async def _sent(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        read_seconds: float,
    ) -> "AsyncGenerator[httpx2.Response]":
        import httpx2

        client, base = await self._connected()
        try:
            async with client.stream(
                method,
                base.copy_with(path=base.path.rstrip("/") + path, params=params or None),
                content=content,
                headers={**self._headers, **(headers or {})},
                # TLS proves the name, not the address.
                extensions={"sni_hostname": self._tls_name},
                timeout=httpx2.Timeout(read_seconds, connect=_CONNECT_SECONDS),
            ) as answer:
                yield answer
        except httpx2.ConnectError as error:
            raise _not_connected(error) from None
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.DecodingError) as error:
            raise errors.Broken(f"its answer ended in the middle: {error}") from None
        except httpx2.TimeoutException:
            raise errors.Away("it did not answer in time") from None
        except (httpx2.HTTPError, OSError) as error:
            raise errors.Away(str(error) or "the connection broke") from None

    async def _connected(self) -> "tuple[httpx2.AsyncClient, httpx2.URL]":
        """A client for the first address that may be talked to; looked up once."""
        import httpx2

        if self._client is not None and self._base is not None:
            return self._client, self._base
        access = self._access
        try:
            url = httpx2.URL(access.server)
        except (httpx2.InvalidURL, ValueError):
            raise errors.BadAccess("the address of the server cannot be read") from None
        address = (await self._address(url))[0]
        self._tls_name = access.tls_name or url.host
        self._headers = {
            "host": url.netloc.decode("ascii"),
            "user-agent": _AGENT,
            "accept": "application/json",
        }
        if access.token:
            self._headers["authorization"] = f"Bearer {access.token.strip()}"
        context = await asyncio.to_thread(_tls, access) if url.scheme == "https" else False
        self._base = url.copy_with(host=address, query=None, fragment=None)
        self._client = httpx2.AsyncClient(
            verify=context, trust_env=False, follow_redirects=False, http1=True
        )
        return self._client, self._base

    async def _address(self, url: "httpx2.URL") -> SockAddress:
        port = url.port or {"https": 443, "http": 80}.get(url.scheme, 0)
        # Without TLS the token would travel in the open: only where somebody listed this host.
        if url.scheme != "https" and not (
            url.scheme == "http" and f"{url.host}:{port}" in self._allow.hosts
        ):
            raise errors.BadAccess(f"{url.scheme or 'this'}://… is not https")
        try:
            return (await resolve_public(url.host, port, allow=self._allow))[0]
        except AddressRefused as error:
            raise errors.AddressNotAllowed(error.message) from None
        except NameNotFound as error:
            raise errors.Away(error.message) from None

    @contextlib.asynccontextmanager
    async def _timed(self, seconds: float) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise errors.Away(f"it did not answer within {seconds:g} seconds") from None


def _tls(access: Access) -> ssl.SSLContext:
    """What proves the server to us, and us to the server. Raises BadAccess."""
    context = ssl.create_default_context(cadata=None)
    try:
        if access.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif access.ca:
            # Only those: an authority of the world has nothing to say about a private cluster.
            context = ssl.create_default_context(cadata=access.ca)
    except (ssl.SSLError, ValueError):
        raise errors.BadAccess("the certificate of the authority cannot be read") from None
    if access.certificate and access.key:
        _prove_us(context, access.certificate, access.key)
    return context


def _prove_us(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL takes a client's certificate from a file only: one that is in memory alone."""
    descriptor = os.memfd_create("client", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, f"{certificate.strip()}\n{key.strip()}\n".encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=b"")
    except (ssl.SSLError, OSError, ValueError):
        raise errors.BadAccess("the client's certificate and key cannot be read") from None
    finally:
        os.close(descriptor)


def _not_connected(error: Exception) -> errors.KubeError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return errors.Untrusted(reason or "its certificate does not come from the authority given")
    if "SSL" in text or "TLS" in text:
        return errors.Untrusted(f"there is no TLS as it should be: {text}")
    return errors.Away("nobody takes connections at its address")


async def _whole(answer: Any) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > _MOST_BYTES:
            raise errors.Broken(f"its answer is larger than {_MOST_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _warnings(headers: "httpx2.Headers") -> tuple[str, ...]:
    """`Warning: 299 - "text"`, one header each."""
    found: list[str] = []
    for line in headers.get_list("warning"):
        _, _, quoted = line.partition('"')
        if text := quoted.rpartition('"')[0]:
            found.append(text.replace('\\"', '"').replace("\\\\", "\\"))
    return tuple(found)
