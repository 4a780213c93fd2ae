"""Images and releases for tests: a small web server made of this machine's busybox."""

from pathlib import Path

from tests.containers import engines
from tests.containers.engines import Dockerd
from windlass.core import process
from windlass.core import site as sites
from windlass.core.container import Container
from windlass.core.launch import Launch, Limits
from windlass.core.process import Process
from windlass.core.site import Site

SERVE = '["/bin/busybox","httpd","-f","-p","3000","-h","/www"]'
# What a visitor may ask it: /cgi-bin/sh?COMMAND with + for blanks runs inside.
_CGI = rb"""#!/bin/sh
printf "Content-Type: text/plain\r\n\r\n"
busybox sh -c "$(busybox httpd -d "$QUERY_STRING")" 2>&1
"""
PLACE = {"project": "proj_a"}


def web_files(page: str) -> dict[str, bytes]:
    return {"www/index.html": page.encode(), "www/cgi-bin/sh": _CGI}


def image(dockerd: Dockerd, page: str, *changes: str, **files: bytes) -> str:
    """An image that serves one page; its id."""
    content = {**engines.base_files(), **web_files(page), **files}
    # The tag is the page's: the same image again is no second one.
    return dockerd.import_image(f"windlass-tests/web:{page}", content, f"CMD {SERVE}", *changes)


def put(
    home: Path,
    release: str,
    image: str,
    *,
    env: dict[str, str] | None = None,
    limits: Limits | None = None,
    connect: tuple[str, ...] = (),
    network: str = "egress",
    drain_seconds: float = 30,
    start_timeout_seconds: float = 60,
    **further: object,
) -> Process:
    """A release whose process is a container of this image."""
    folder = sites.folder(home, release)
    folder.mkdir(parents=True, exist_ok=True)
    given = {**PLACE, "image": image, "named": "web", "release": release, **further}
    container = Container(**given)  # pyright: ignore
    launch = Launch(
        name=f"app-{release}",
        argv=("-",),
        env={"PORT": "3000", **(env or {})},
        limits=limits or Limits(memory_bytes=128 << 20, tmp_bytes=16 << 20, processes=64),
        network=network,  # pyright: ignore
        connect=connect,
    )
    made = Process(launch=launch, container=container)
    process.write(home, release, made)
    sites.write(
        folder,
        Site(
            deployment=release,
            kind="server",
            port=3000,
            drain_seconds=drain_seconds,
            start_timeout_seconds=start_timeout_seconds,
        ),
    )
    return made
