"""HTTP to addresses that others choose: the scheme, the address behind the name, size and time are
checked. Redirects are followed only where somebody asked for it, each checked like the first."""

import asyncio
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from windlass.core.addresses import AddressPolicy, resolve_public
from windlass.core.errors import AppError
from windlass.core.settings import words

if TYPE_CHECKING:
    import httpx2

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)


class FetchFailed(Exception):
    """There is no answer that can be used. The text says why, to whoever set up the address."""


class Fetched(msgspec.Struct, frozen=True):
    """An answer that is not too large."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    """By their names in small letters."""

    def json(self, kind: type[Any]) -> Any:
        """The body as a struct; raises FetchFailed."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            raise FetchFailed(f"it answered {self.status} with something else: {error}") from None


class Client:
    """One connection for each request: they are few."""

    def __init__(
        self,
        allow: AddressPolicy,
        *,
        most_bytes: int = _MOST_BYTES,
        seconds: float = _TIMEOUT_SECONDS,
        redirects: int = 0,
    ) -> None:
        self._allow = allow
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._redirects = redirects

    async def get(self, url: str, **headers: str) -> Fetched:
        return await self._send("GET", url, headers, None)

    async def post(self, url: str, form: dict[str, str], **headers: str) -> Fetched:
        return await self._send("POST", url, headers, form)

    async def post_json(self, url: str, body: object, **headers: str) -> Fetched:
        return await self.send_json("POST", url, body, **headers)

    async def send_json(self, method: str, url: str, body: object, **headers: str) -> Fetched:
        headers = {"content_type": "application/json", **headers}
        return await self._send(method, url, headers, None, msgspec.json.encode(body))

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        form: dict[str, str] | None,
        content: bytes | None = None,
    ) -> Fetched:
        """Connects to exactly the addresses that were looked at, in the name that was asked for."""
        import httpx2  # late: 8 MB, and a server without outside systems needs none of it

        named = _named(headers)
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx2.AsyncClient(
                    verify=_authorities(), trust_env=False, timeout=self._seconds
                ) as client,
            ):
                asked = httpx2.URL(url)
                answer = await self._asked(client, method, asked, named, form, content)
                for _ in range(self._redirects if method == "GET" else 0):
                    location = answer.headers.get("location", "")
                    if answer.status not in _REDIRECTS or not location:
                        break
                    following = asked.join(location)
                    if following.netloc != asked.netloc:
                        # Who is asked next is not who the token is for.
                        named.pop("authorization", None)
                    asked = following
                    answer = await self._asked(client, method, asked, named, form, content)
                return answer
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            raise FetchFailed(str(error) or "it did not answer in time") from None
        except AppError as error:
            raise FetchFailed(error.message) from None

    async def _asked(
        self,
        client: "httpx2.AsyncClient",
        method: str,
        asked: "httpx2.URL",
        headers: dict[str, str],
        form: dict[str, str] | None,
        content: bytes | None,
    ) -> Fetched:
        port = asked.port or {"https": 443, "http": 80}.get(asked.scheme, 0)
        self._check_scheme(asked.scheme, asked.host, port)
        address, _ = (await resolve_public(asked.host, port, allow=self._allow))[0]
        async with client.stream(
            method,
            asked.copy_with(host=address),
            headers={"host": asked.netloc.decode("ascii"), **headers},
            data=form,
            content=content,
            # TLS proves the name, not the address.
            extensions={"sni_hostname": asked.host},
        ) as answer:
            parts: list[bytes] = []
            size = 0
            async for part in answer.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > self._most_bytes:
                    raise FetchFailed("its answer is too large")
            heads = {name.lower(): value for name, value in answer.headers.items()}
            return Fetched(answer.status_code, b"".join(parts), heads)

    def _check_scheme(self, scheme: str, host: str, port: int) -> None:
        """Without TLS only where somebody said that this host is private."""
        if scheme == "https" or (scheme == "http" and f"{host}:{port}" in self._allow.hosts):
            return
        raise FetchFailed(f"{scheme}://{host} is not https")


def policy(private: str, *, setting: str) -> AddressPolicy:
    """The exceptions that a setting makes: `name:port` and networks, comma-separated."""
    given = words(private)
    return AddressPolicy(
        hosts=frozenset(word for word in given if "/" not in word),
        networks=tuple(word for word in given if "/" in word),
        fix=f"The setting {setting} lists private hosts that are allowed.",
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: to read all certificates takes longer than all else of a request."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
