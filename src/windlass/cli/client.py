"""One HTTP connection to a Windlass server: the envelope, the errors, careful repetition.

A request that may be sent twice is repeated when the connection breaks or the server is away for a
moment (502, 503, 504); 429 is obeyed when the wait is short. Nothing else is ever sent twice.
"""

import ipaddress
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from windlass import __version__
from windlass.cli.amounts import size_text
from windlass.cli.errors import BadAddress, CliError, MoreThanAddress

ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 15.0
_AWAY = {502, 503, 504}

Body = bytes | Callable[[], Iterator[bytes]]
Params = Mapping[str, str | int | None]


class Unreachable(CliError):
    """{url} cannot be reached: {reason}."""

    fix = (
        "Is it running? `windlass up` starts Windlass on this machine;"
        " `windlass login URL` signs in to another one."
    )


class BadCertificate(CliError):
    """The certificate of {url} cannot be trusted: {reason}."""

    fix = "If your own authority signed it, name that authority's file in SSL_CERT_FILE."


class ConnectionLost(CliError):
    """The connection to {url} broke: {reason}."""

    fix = "Try again; if it stays so, `windlass doctor` looks for the cause."


class NotWindlass(CliError):
    """{url} answered {status}, but not as Windlass does."""

    fix = "Check the address: it must be the panel's. `windlass login URL` sets it."


class PanelAway(CliError):
    """{url} answers, but the panel behind it is not running at this moment ({status})."""

    fix = "It starts again by itself: try once more in a moment. `windlass doctor` finds out more."


class UnknownAnswer(CliError):
    """{url} sent an answer that this version does not understand: {reason}."""

    fix = "The command line and the server may be too far apart in version; update the older one."


class Redirected(CliError):
    """{url} sends us to {location}."""

    fix = "Sign in with that address: windlass login {location}"


class ApiError(CliError):
    """{message}"""

    # The server refused and said why (requirement C-070): its message is ours.

    FIXES: ClassVar[dict[int, str]] = {
        401: "Sign in: windlass login {url}",
        429: "Wait {wait} s and try again.",
    }

    def __init__(self, *, status: int, problem: "_Problem", url: str, wait: float = 0) -> None:
        super().__init__(message=problem.message or f"The server answered {status}.")
        self.status = status
        self.request_id = problem.request_id
        self._code = problem.code
        self._details = problem.details or {}
        self._fix = self.FIXES.get(status, "").format(url=url, wait=f"{wait:.0f}")

    @property
    def code(self) -> str:
        return self._code

    @property
    def details(self) -> dict[str, object]:
        return self._details

    @property
    def advice(self) -> str:
        told = self._details.get("fix")
        return told if isinstance(told, str) else self._fix

    def more(self, verbose: bool) -> list[str]:
        """The wrong fields, the limit and the size of what is too large, the request id."""
        lines = [f"  {field}: {text}" for field, text in self._fields()]
        if self.status == 413:
            lines += [f"  {fact}" for fact in self.facts_of_size()]
        if verbose and self.request_id:
            lines.append(f"  request: {self.request_id}")
        return lines

    def facts_of_size(self) -> list[str]:
        """`limit: 2.0 GiB` and the like, from the details."""
        return [
            f"{key.removesuffix('Bytes')}: {_amount(key, value)}"
            for key, value in self._details.items()
            if key not in {"fix", "reason"}
        ]

    def _fields(self) -> list[tuple[str, str]]:
        try:
            wrong = msgspec.convert(self._details.get("fields", []), list[_Field])
        except msgspec.ValidationError:
            return []
        return [(field.field, field.message) for field in wrong]


def _amount(key: str, value: object) -> object:
    return size_text(value) if key.endswith("Bytes") and isinstance(value, int) else value


class _Field(msgspec.Struct):
    field: str
    message: str


class _Problem(msgspec.Struct, rename="camel"):
    code: str = "INTERNAL_SERVER_ERROR"
    message: str = ""
    details: dict[str, object] | None = None
    request_id: str = ""


class _Pagination(msgspec.Struct, rename="camel"):
    cursor: str | None = None
    has_more: bool = False


class _Meta(msgspec.Struct):
    pagination: _Pagination | None = None


class _Envelope(msgspec.Struct):
    ok: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: _Problem | None = None
    meta: _Meta | None = None


class Answer(msgspec.Struct, frozen=True):
    """`data` as it was received, and where the next page starts (None: this was the last)."""

    data: bytes
    cursor: str | None = None


_decode = msgspec.json.Decoder(_Envelope).decode


def is_loopback(url: str) -> bool:
    """Whether the address stays on this machine (RFC 6761 gives *.localhost to loopback)."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def clean_address(url: str) -> str:
    """`https://host[:port]` of what the user typed. Raises BadAddress."""
    if "://" not in url:
        url = f"http://{url}" if is_loopback(f"http://{url}") else f"https://{url}"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise BadAddress(url=url) from error
    if not valid or parts.username:
        raise BadAddress(url=url)
    address = f"{parts.scheme}://{parts.netloc}"
    if parts.query or parts.path not in {"", "/"}:
        raise MoreThanAddress(url=url, address=address)
    return address


class Connection:
    """Thread-safe; close it, or use it in a `with`."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout_seconds: float = 60.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = clean_address(url)
        self.token = token
        self._pause = pause
        self._reached = False
        headers = {
            "User-Agent": f"windlass/{__version__}",
            "Accept": "application/json",
            # Sessions by cookie (`login`) need a same-origin request (C-093).
            "Origin": self.url,
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx2.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx2.Timeout(timeout_seconds, connect=min(10.0, timeout_seconds)),
            # Loading certificates takes 20 ms, so only where they count; SSL_CERT_FILE is obeyed.
            verify=httpx2.create_ssl_context() if self.url.startswith("https:") else False,
            # A proxy of the environment cannot reach our loopback.
            trust_env=not is_loopback(self.url),
            limits=httpx2.Limits(max_connections=16),
        )

    def close(self) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        body: Body | None = None,
        size: int | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Sends and decodes one call; `body` is raw bytes, or makes `size` bytes anew.

        `repeatable` defaults to true for GET and PUT. Raises ApiError, Unreachable, ConnectionLost,
        Redirected, PanelAway, NotWindlass.
        """
        if repeatable is None:
            repeatable = method in {"GET", "PUT"}
        attempt = 0
        while True:
            attempt += 1
            last = attempt == ATTEMPTS
            try:
                response = self._send(method, path, params, *_content(json, body, size))
            except (Unreachable, ConnectionLost):
                # Somebody who forgot to start the server is told at once.
                if last or not repeatable or not self._reached:
                    raise
                self._pause(0.2 * 2**attempt)
                continue
            wait = _wait_seconds(response, attempt)
            away = response.status_code in _AWAY and (repeatable or _never_arrived(response))
            if not last and wait <= LONGEST_WAIT_SECONDS and (away or response.status_code == 429):
                self._pause(wait)
                continue
            return self._answer(response, wait)

    @contextmanager
    def events(
        self, path: str, *, last_id: int | str | None
    ) -> Generator[Iterator[httpx2.ServerSentEvent]]:
        """An event stream, resumed after `last_id`. Raises like `request`.

        The server sends a comment every 15 s, so 40 s of silence is a broken connection.
        """
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        timeout = httpx2.Timeout(40.0, connect=10.0)
        with (
            self._named_errors(),
            self._http.stream("GET", path, headers=headers, timeout=timeout) as response,
        ):
            self._reached = True
            if not response.is_success:
                response.read()
                self._answer(response, 0)
            yield iter(httpx2.EventSource(response))

    @contextmanager
    def download(self, path: str, *, params: Params) -> Generator[Iterator[bytes]]:
        """A file, in pieces as they come. Raises like `request`."""
        given = {key: value for key, value in params.items() if value is not None}
        with self._named_errors(), self._http.stream("GET", path, params=given) as response:
            self._reached = True
            if not response.is_success:
                response.read()
                self._answer(response, 0)
            yield response.iter_bytes()

    def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        content: bytes | Iterator[bytes] | None,
        headers: dict[str, str],
    ) -> httpx2.Response:
        given = {key: value for key, value in (params or {}).items() if value is not None}
        with self._named_errors():
            response = self._http.request(
                method, path, params=given or None, content=content, headers=headers
            )
        self._reached = True
        return response

    @contextmanager
    def _named_errors(self) -> Generator[None]:
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise BadCertificate(url=self.url, reason=_reason(error)) from error
            raise Unreachable(url=self.url, reason=_reason(error)) from error
        except httpx2.RequestError as error:
            raise ConnectionLost(url=self.url, reason=_reason(error)) from error
        except httpx2.InvalidURL as error:
            raise BadAddress(url=self.url) from error

    def _answer(self, response: httpx2.Response, wait: float) -> Answer:
        if response.is_redirect:
            raise Redirected(url=self.url, location=_origin(response))
        try:
            envelope = _decode(response.content)
        except msgspec.MsgspecError as error:
            if response.status_code == 204:
                return Answer(b"null")
            kind = PanelAway if response.status_code in _AWAY else NotWindlass
            raise kind(url=self.url, status=response.status_code) from error
        if not envelope.ok or not response.is_success:
            problem = envelope.error or _Problem()
            raise ApiError(status=response.status_code, problem=problem, url=self.url, wait=wait)
        page = envelope.meta and envelope.meta.pagination
        return Answer(bytes(envelope.data), page.cursor if page and page.has_more else None)


def _content(
    json: object, body: Body | None, size: int | None
) -> tuple[bytes | Iterator[bytes] | None, dict[str, str]]:
    if json is not None:
        return msgspec.json.encode(json), {"Content-Type": "application/json"}
    headers = {"Content-Type": "application/octet-stream"}
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, headers
    if size is not None:
        headers["Content-Length"] = str(size)
    return body(), headers


def _origin(response: httpx2.Response) -> str:
    """Where a redirect leads, as an address to sign in with: our path on it is no part of that."""
    found = response.url.join(response.headers.get("location", ""))
    return f"{found.scheme}://{found.netloc.decode()}"


def _never_arrived(response: httpx2.Response) -> bool:
    """The edge says 503 in plain text, and when to ask again, where no panel took the request."""
    plain = response.headers.get("content-type", "").startswith("text/")
    return response.status_code == 503 and plain and "retry-after" in response.headers


def _wait_seconds(response: httpx2.Response, attempt: int) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isdigit() else 0.2 * 2**attempt


def _reason(error: httpx2.RequestError) -> str:
    """The plain cause, without Python's decoration."""
    text = str(error)
    if "refused" in text.lower() or "All connection attempts failed" in text:
        return "nothing answers there (connection refused)"
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return text or type(error).__name__
