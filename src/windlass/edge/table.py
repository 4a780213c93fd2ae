"""The release behind a host name: read from the disk once, answered from memory afterwards.

The link `sites/<host>` is read for every request. It costs a microsecond, needs no message from
anybody, and is therefore always true.
"""

import os
from collections import OrderedDict
from pathlib import Path

import msgspec

from windlass.core import media
from windlass.core import site as sites
from windlass.core.site import Site
from windlass.core.tally import Tally
from windlass.edge import paths
from windlass.edge.negotiate import BROTLI, GZIP, IDENTITY
from windlass.edge.request import Request
from windlass.edge.rulebook import Redirected, Rewritten, Rulebook

MAX_FILES_IN_MEMORY = 200_000
MAX_RESOLVED_PATHS = 2_000
MAX_TALLIES = 10_000
RESERVED = {
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "vary",
    "x-windlass-deployment",
}


class Variant:
    """One encoding of one file, with the lines of its head that never change."""

    __slots__ = ("etag", "key", "lines", "ok", "path", "size")

    def __init__(self, path: str, size: int, etag: bytes, lines: bytes) -> None:
        self.path = path
        self.size = size
        self.etag = etag
        self.key = etag
        self.lines = lines
        self.ok = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % size + lines


class Found:
    """A path that is a file: its variants by encoding."""

    __slots__ = ("only", "variants")

    def __init__(self, variants: dict[bytes, Variant]) -> None:
        self.variants = variants
        self.only = variants[IDENTITY] if len(variants) == 1 else None


class Moved:
    """A path that is somewhere else."""

    __slots__ = ("keep_query", "location", "status")

    def __init__(self, status: int, location: bytes, *, keep_query: bool = True) -> None:
        self.status = status
        self.location = location
        self.keep_query = keep_query


class Replaced:
    """A path that a rule answers with another file, or with another status."""

    __slots__ = ("found", "status")

    def __init__(self, found: Found, status: int) -> None:
        self.found = found
        self.status = status


class Missing:
    """A path that is no file."""

    __slots__ = ("is_page",)

    def __init__(self, *, is_page: bool) -> None:
        self.is_page = is_page


class Malformed:
    """A path that no honest client sends."""

    __slots__ = ()


Resolved = Found | Moved | Replaced | Missing | Malformed


class Release:
    """One release in memory."""

    def __init__(self, folder: Path, site: Site, tally: Tally) -> None:
        self.site = site
        self.tally = tally
        self.deployment = site.deployment
        self.marks = b"X-Windlass-Deployment: " + site.deployment.encode() + b"\r\n"
        if site.preview:
            self.marks += b"X-Robots-Tag: noindex\r\n"
        try:
            self.rulebook = Rulebook(site.rules) if site.rules is not None else None
        except ValueError as error:
            raise msgspec.ValidationError(f"the rules of this release: {error}") from error
        self._files = f"{folder}/files/"
        self._resolved: dict[bytes, Resolved] = {}

    def resolve(self, path: bytes) -> Resolved:
        """What a path of a URL means in this release."""
        found = self._resolved.get(path)
        if found is None:
            found = self._resolve(path)
            # Only what exists is remembered: the list of what does not exist is endless.
            if isinstance(found, Found | Moved):
                if len(self._resolved) >= MAX_RESOLVED_PATHS:
                    self._resolved.clear()
                self._resolved[path] = found
        return found

    def resolve_by_rules(self, request: Request, book: Rulebook) -> Resolved:
        """What a request means where the site has rules: theirs come before and after its files."""
        name = paths.decode(request.path)
        if name is None:
            return Malformed()
        address = f"/{name}"
        said = book.before(address, request)
        if said is not None and (outcome := self._said(said, address)) is not None:
            return outcome
        found = self.resolve(request.path)
        if isinstance(found, Missing):
            for said in book.after(address, request):
                if (outcome := self._said(said, address)) is not None:
                    return outcome
        return found

    def file(self, name: str, address: str | None = None) -> Found | None:
        """A file by its own name, for 404.html and the fallback."""
        if name not in self.site.files:
            return None
        return self._found(name, f"/{name}" if address is None else address)

    def _said(self, said: Redirected | Rewritten, address: str) -> Resolved | None:
        """What a rule makes of it; None when it names a file that is not there."""
        if isinstance(said, Redirected):
            return Moved(said.status, said.location, keep_query=said.keep_query)
        name = self._page(said.name)
        return None if name is None else Replaced(self._found(name, address), said.status)

    def _page(self, name: str) -> str | None:
        """The file of an address however it is spelled: nobody is sent on from a rewrite."""
        bare = name.strip("/")
        spelled = (bare, f"{bare}.html", f"{bare}/index.html" if bare else "index.html")
        return next((each for each in spelled if each in self.site.files), None)

    def _resolve(self, path: bytes) -> Resolved:
        name = paths.decode(path)
        if name is None:
            return Malformed()
        if self.rulebook is not None and self.rulebook.trailing_slash is not None:
            return self._with_slash(name, wanted=self.rulebook.trailing_slash)
        return self._look_up(name)

    def _with_slash(self, name: str, *, wanted: bool) -> Resolved:
        """Pages have one address, that ends with a slash or without one; files keep their names."""
        bare = name.rstrip("/")
        if self.site.clean_urls and bare in self.site.files:
            shorter = self._clean(bare)
            bare = bare if shorter is None else shorter.rstrip("/")
        page = self._page(bare)
        if page is None or (page == bare and bare == name):
            return self._look_up(name)
        if page == f"{bare}.html" and not self.site.clean_urls:
            return self._look_up(name)
        canonical = f"{bare}/" if wanted and bare and page != bare else bare
        if name != canonical:
            return Moved(308, paths.encode(canonical))
        return self._found(page, f"/{name}")

    def _look_up(self, name: str) -> Resolved:
        files, clean = self.site.files, self.site.clean_urls
        if not name or name.endswith("/"):
            if f"{name}index.html" in files:
                return self._found(f"{name}index.html", f"/{name}")
            if clean and name and f"{name[:-1]}.html" in files:
                return Moved(308, paths.encode(name[:-1]))
        elif name in files:
            if clean and (shorter := self._clean(name)) is not None:
                return Moved(308, paths.encode(shorter))
            return self._found(name, f"/{name}")
        elif clean and f"{name}.html" in files:
            return self._found(f"{name}.html", f"/{name}")
        elif f"{name}/index.html" in files:
            return Moved(308, paths.encode(f"{name}/"))
        return Missing(is_page="." not in name.rpartition("/")[2])

    def _clean(self, name: str) -> str | None:
        """The address under which a page is served instead of its file name."""
        if not name.endswith(".html"):
            return None
        folder, slash, last = name.rpartition("/")
        if last == "index.html":
            return folder + slash
        shorter = name.removesuffix(".html")
        # A file or a page of that name comes first there, so this one keeps its own address.
        return None if shorter in self.site.files or shorter.endswith("/index") else shorter

    def _found(self, name: str, address: str) -> Found:
        file = self.site.files[name]
        tag, lines = file.sha256[:32].encode(), self._lines(name, address)
        sizes = {IDENTITY: file.size, GZIP: file.gzip_size, BROTLI: file.brotli_size}
        extensions = {IDENTITY: "", GZIP: ".gz", BROTLI: ".br"}
        encoded = [e for e in (GZIP, BROTLI) if sizes[e]]
        if encoded:
            lines += b"Vary: Accept-Encoding\r\n"
        variants: dict[bytes, Variant] = {}
        for encoding in (IDENTITY, *encoded):
            # Each encoding is another sequence of bytes, so a strong tag must differ (RFC 9110,
            # 8.8.3). No Last-Modified: two releases of one second would share it, and a switch
            # back in time would make the older content look unchanged.
            etag = b'"' + tag + (b"-" + encoding if encoding else b"") + b'"'
            own = lines + b"ETag: " + etag + b"\r\nAccept-Ranges: bytes\r\n"
            if encoding:
                own += b"Content-Encoding: " + encoding + b"\r\n"
            path = self._files + name + extensions[encoding]
            variants[encoding] = Variant(path, sizes[encoding], etag, own)
        return Found(variants)

    def _lines(self, name: str, address: str) -> bytes:
        headers = {
            "Content-Type": media.content_type(name),
            "Cache-Control": self._cache_control(name),
            "X-Content-Type-Options": "nosniff",
        }
        by_lower = {key.lower(): key for key in headers}
        more = self.rulebook.headers(address) if self.rulebook is not None else {}
        for lower, (key, value) in more.items():
            if lower not in RESERVED:
                headers.pop(by_lower.get(lower, ""), None)
                headers[key] = value
        text = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        return text.encode("latin-1") + self.marks

    def _cache_control(self, name: str) -> str:
        hashed = paths.is_hashed(name) or any(
            name.startswith(prefix.lstrip("/")) for prefix in self.site.immutable
        )
        # A page is never immutable: its address is what people type.
        if hashed and not name.endswith((".html", ".htm")):
            return "public, max-age=31536000, immutable"
        return "public, max-age=0, must-revalidate"


class Table:
    """Host name to release. Releases never change, so a loaded one is true for ever."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._sites = f"{home}/sites/"
        self._releases: OrderedDict[str, Release] = OrderedDict()
        self._files = 0
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def deployment(self, host: str) -> str | None:
        """The deployment that a host serves at this moment."""
        # A name that starts with a dot is bookkeeping, and the parser lets none through.
        try:
            return os.readlink(self._sites + host).rpartition("/")[2]
        except (OSError, ValueError):
            return None

    def release(self, deployment: str) -> Release:
        """The release of a deployment. Raises OSError or msgspec.DecodeError."""
        release = self._releases.get(deployment)
        if release is not None:
            return release
        folder = sites.folder(self._home, deployment)
        release = Release(folder, sites.read(folder), self.tally(deployment))
        self._releases[deployment] = release
        self._files += len(release.site.files)
        while self._files > MAX_FILES_IN_MEMORY and len(self._releases) > 1:
            _, oldest = self._releases.popitem(last=False)
            self._files -= len(oldest.site.files)
        return release

    def tally(self, deployment: str) -> Tally:
        """What visitors got from it since the edge was started; outlives its files in memory."""
        tally = self._tallies.get(deployment)
        if tally is None:
            tally = self._tallies[deployment] = Tally()
            if len(self._tallies) > MAX_TALLIES:
                oldest = next(name for name in self._tallies if name not in self._releases)
                del self._tallies[oldest]
        return tally
