"""Where charts come from: repositories, registries, one file of the web. Everything is checked
against its digest where there is one, and every address like the first (`guarded`).
"""

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from windlass.adapters import guarded
from windlass.adapters.guarded import Fetched, FetchFailed
from windlass.core.addresses import AddressPolicy
from windlass.helm import archive, index
from windlass.helm.errors import HelmFailed
from windlass.helm.versions import Range

_MOST_INDEX = 40 << 20
_FRESH_SECONDS = 300
_MOST_CACHED = 256 << 20
_MOST_PAGES = 20
_SECONDS = 60.0
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which chart: what a command says (`charts.helm.references.Chart`)."""

    name: str
    url: str
    """`https://repository`, `oci://registry/path` or `https://….tgz`."""
    version: str = ""
    digest: str = ""
    devel: bool = False


class Found(msgspec.Struct, frozen=True):
    """A chart as it came, and what it was."""

    data: bytes
    version: str
    """Empty for a file of the web: its Chart.yaml says it."""
    url: str
    digest: str
    """`sha256:…` of `data`."""


class _Layer(msgspec.Struct, frozen=True):
    mediaType: str = ""
    digest: str = ""
    size: int = 0


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[_Layer] = []


class _Tags(msgspec.Struct, frozen=True):
    tags: list[str] | None = None


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class _Meta(msgspec.Struct, frozen=True):
    etag: str = ""
    modified: str = ""


class Sources:
    """Fetches charts; indexes of repositories are kept below `cache`."""

    def __init__(self, allow: AddressPolicy, *, cache: Path) -> None:
        self._cache = cache
        self._small = guarded.Client(allow, redirects=5, seconds=_SECONDS)
        self._charts = guarded.Client(
            allow, redirects=5, seconds=_SECONDS, most_bytes=archive.MOST_PACKED
        )
        self._indexes = guarded.Client(allow, redirects=5, seconds=_SECONDS, most_bytes=_MOST_INDEX)

    async def fetch(self, wanted: Wanted) -> Found:
        """The packed chart. Raises HelmFailed."""
        if wanted.url.startswith("oci://"):
            return await _Registry(wanted, self._small, self._charts).fetch()
        if urlsplit(wanted.url).path.endswith(".tgz"):
            answer = _good(await _get(self._charts, wanted.url), wanted.url)
            return _found(answer.body, "", wanted.url, wanted.digest)
        return await self._of_repository(wanted)

    async def versions(self, wanted: Wanted) -> list[str]:
        """All versions that there are. Raises HelmFailed."""
        if wanted.url.startswith("oci://"):
            return await _Registry(wanted, self._small, self._charts).versions()
        return [one.version for one in index.entries(await self._index(wanted.url), wanted.name)]

    async def _of_repository(self, wanted: Wanted) -> Found:
        listed = index.entries(await self._index(wanted.url), wanted.name)
        entry = index.choose(listed, wanted.name, wanted.version, devel=wanted.devel)
        if entry.url.startswith("oci://"):
            moved = msgspec.structs.replace(wanted, url=entry.url, version=entry.version)
            return await _Registry(moved, self._small, self._charts).fetch()
        url = urljoin(wanted.url.rstrip("/") + "/", entry.url)
        answer = _good(await _get(self._charts, url), url)
        expected = f"sha256:{entry.digest}" if entry.digest else wanted.digest
        return _found(answer.body, entry.version, url, expected)

    async def _index(self, url: str) -> str:
        """A repository's index: kept for five minutes, then asked whether it changed."""
        name = hashlib.sha256(url.encode()).hexdigest()
        kept, about = self._cache / f"{name}.yaml", self._cache / f"{name}.json"
        try:
            if time.time() - kept.stat().st_mtime < _FRESH_SECONDS:
                return kept.read_text("utf-8")
            meta = msgspec.json.decode(about.read_bytes(), type=_Meta)
        except (OSError, msgspec.MsgspecError):
            meta = _Meta()
        headers = {"if_none_match": meta.etag} if meta.etag else {}
        headers |= {"if_modified_since": meta.modified} if meta.modified else {}
        asked = url.rstrip("/") + "/index.yaml"
        answer = await _get(self._indexes, asked, **headers)
        if answer.status == 304 and headers:
            os.utime(kept)
            return kept.read_text("utf-8")
        text = _good(answer, asked).body.decode("utf-8", "replace")
        self._keep(kept, text.encode())
        changed = _Meta(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
        self._keep(about, msgspec.json.encode(changed))
        return text

    def _keep(self, path: Path, data: bytes) -> None:
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = sorted(self._cache.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        size = 0
        for one in files:
            size += one.stat().st_size
            if size > _MOST_CACHED:
                one.unlink(missing_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(path)


class _Registry:
    """One chart of a registry, by the distribution API of the OCI."""

    def __init__(self, wanted: Wanted, small: guarded.Client, charts: guarded.Client) -> None:
        host, _, path = wanted.url.removeprefix("oci://").partition("/")
        host = "registry-1.docker.io" if host in ("docker.io", "index.docker.io") else host
        # As every client of registries has it; whether a loopback may be asked, `guarded` decides.
        scheme = "http" if host.rpartition(":")[0] in _LOOPBACK else "https"
        self._wanted = wanted
        self._top = f"{scheme}://{host}/v2/{quote(path)}"
        self._small, self._charts = small, charts
        self._token = ""

    async def fetch(self) -> Found:
        wanted = self._wanted
        tag = await self._tag() if not wanted.digest or wanted.version else ""
        asked = f"{self._top}/manifests/{wanted.digest or tag.replace('+', '_')}"
        answer = await self._asked(self._small, asked, accept=_MANIFEST)
        if wanted.digest:
            _verify(answer.body, wanted.digest)
        layers = _decoded(answer, _Manifest).layers
        chart = next((one for one in layers if one.mediaType == _CHART_LAYER), None)
        if chart is None or not _DIGEST.fullmatch(chart.digest):
            raise HelmFailed("chart", f"What is at {wanted.url} is no chart of Helm")
        blob = await self._asked(self._charts, f"{self._top}/blobs/{chart.digest}")
        return _found(blob.body, tag, wanted.url, chart.digest)

    async def versions(self) -> list[str]:
        found: list[str] = []
        url = f"{self._top}/tags/list?n=1000"
        for _ in range(_MOST_PAGES):
            answer = await self._asked(self._small, url)
            found += [one.replace("_", "+") for one in _decoded(answer, _Tags).tags or []]
            link = re.match(r'<([^>]+)>;\s*rel="?next', answer.headers.get("link", ""))
            if link is None:
                break
            url = urljoin(url, link[1])
        return found

    async def _tag(self) -> str:
        asked = self._wanted.version
        if re.fullmatch(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?", asked):
            return asked
        tags = await self.versions()
        if asked in tags:
            return asked
        best = Range(asked, devel=self._wanted.devel).best(tags)
        if best is None:
            what = f"version {asked} of {self._wanted.name}" if asked else "release"
            raise HelmFailed("version-unknown", f"There is no {what} at {self._wanted.url}")
        return best

    async def _asked(self, client: guarded.Client, url: str, **headers: str) -> Fetched:
        """Once more with a token, when the registry says where those are."""
        bearer = {"authorization": f"Bearer {self._token}"} if self._token else {}
        answer = await _get(client, url, **headers, **bearer)
        if answer.status == 401 and not self._token:
            self._token = await self._signed_in(answer.headers.get("www-authenticate", ""))
            return await self._asked(client, url, **headers)
        return _good(answer, url)

    async def _signed_in(self, challenge: str) -> str:
        given = dict(_PARAMETER.findall(challenge))
        realm = given.pop("realm", "")
        if not challenge.lower().startswith("bearer") or not realm:
            raise HelmFailed("chart-forbidden", f"{self._wanted.url} is not public")
        asked = "&".join(
            f"{name}={quote(given[name])}" for name in ("service", "scope") if name in given
        )
        answer = _good(await _get(self._small, f"{realm}?{asked}"), realm)
        token = _decoded(answer, _Token)
        return token.token or token.access_token


async def _get(client: guarded.Client, url: str, **headers: str) -> Fetched:
    try:
        return await client.get(url, **headers)
    except FetchFailed as error:
        host = urlsplit(url).hostname
        raise HelmFailed("unreachable", f"Charts cannot be fetched from {host}: {error}") from None


def _good(answer: Fetched, url: str) -> Fetched:
    host = urlsplit(url).hostname
    match answer.status:
        case 200:
            return answer
        case 401 | 403:
            raise HelmFailed("chart-forbidden", f"{host} says that this is not public")
        case 404:
            raise HelmFailed("chart-unknown", f"{host} has nothing at {urlsplit(url).path}")
        case 429:
            raise HelmFailed("unreachable", f"{host} is asked too often", "Try it again later")
        case status:
            raise HelmFailed("unreachable", f"{host} answered {status}", "Try it again later")


def _decoded(answer: Fetched, kind: Any) -> Any:
    try:
        return answer.json(kind)
    except FetchFailed:
        raise HelmFailed("repository", "This is no registry of charts") from None


def _found(data: bytes, version: str, url: str, expected: str) -> Found:
    if expected:
        _verify(data, expected)
    return Found(data, version, url, f"sha256:{hashlib.sha256(data).hexdigest()}")


def _verify(data: bytes, expected: str) -> None:
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != expected:
        hint = "Nothing of it was used. Ask whoever publishes it"
        raise HelmFailed("digest", "What was fetched is not what its digest says", hint)
