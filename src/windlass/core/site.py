"""What the edge must know about a release: `releases/<deployment>/site.json`.

The worker writes this file once, into a tree that never changes afterwards; the edge only reads it.
A server release has `process.sealed` beside it: how its process is started, encrypted.
"""

import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from windlass.core.rules import Rules

_TARGET = re.compile(r"[!-~]+")


class File(msgspec.Struct, frozen=True, array_like=True):
    """One file of the release; compressed variants lie beside it as `<path>.gz` and `<path>.br`.

    Sizes are in bytes; a variant with size 0 does not exist.
    """

    sha256: str
    size: int
    gzip_size: int = 0
    brotli_size: int = 0


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """How one release is served. Paths are POSIX, relative to `files/`, without a leading slash."""

    deployment: str
    kind: Literal["static", "server", "worker"]
    files: dict[str, File] = {}
    fallback: str | None = None
    clean_urls: bool = True
    not_found: str | None = "404.html"
    immutable: tuple[str, ...] = ()
    rules: Rules | None = None
    health_path: str = "/"
    port: int = 3000
    start_timeout_seconds: float = 60
    drain_seconds: float = 30
    preview: bool = False
    # Of a preview: the project whose password it asks for, where there is one.
    project: str = ""
    # A process that nobody asked for so long is stopped until somebody does; 0: never.
    idle_seconds: float = 0

    def __post_init__(self) -> None:
        if not (self.health_path.startswith("/") and _TARGET.fullmatch(self.health_path)):
            raise ValueError(f"health path {self.health_path!r} is not a path")


_decoder = msgspec.json.Decoder(Site)


def folder(home: Path, deployment: str) -> Path:
    """Where the release of this deployment lies."""
    return home / "releases" / deployment


def read(release: Path) -> Site:
    """The `site.json` of a release folder. Raises OSError or msgspec.DecodeError."""
    return _decoder.decode((release / "site.json").read_bytes())


def write(release: Path, site: Site) -> None:
    """Put `site.json` into a release folder and force it to the disk.

    A static release that a plain web server can serve alike also gets the link `public`, which is
    all that nginx looks at: an app's own files lie in `files`, too, and must never be served.
    """
    public = release / "public"
    public.unlink(missing_ok=True)
    if site.kind == "static" and site.rules is None and not site.preview:
        public.symlink_to("files")
    with open(release / "site.json", "wb") as file:
        file.write(msgspec.json.encode(site))
        file.flush()
        os.fsync(file.fileno())
