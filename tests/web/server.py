"""The gallery on loopback: pages, assets, and the few API calls that the islands make.

`python -m tests.web.server 8099` serves it to look at.
"""

import datetime as dt
import json
import mimetypes
import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.web import gallery, gallery_builder
from tests.web import page_samples as q
from tests.web import people_samples as p
from tests.web import samples as s
from windlass.builder import schemas
from windlass.builder import service as builder
from windlass.builds import ignore
from windlass.core import languages
from windlass.core.errors import AppError
from windlass.core.headers import SECURITY_HEADERS
from windlass.web import assets_build, page, static_files

# The examiner of pages: as a file of this host the browser compiles it once for all of them.
AXE = "/axe.js"
_AXE = assets_build.SOURCES / "node_modules" / "axe-core" / "axe.min.js"
_LEVELS = ("info", "info", "info", "warn", "info", "error", "info", "success")


_CHARTS: dict[str, tuple[Any, Any]] = {
    "generate": (schemas.GenerateIn, builder.generate),
    "check": (schemas.CheckIn, builder.check),
    "fix": (schemas.FixIn, builder.fix),
    "form": (schemas.RecoverIn, builder.recover),
    "compose": (schemas.ComposeIn, builder.compose),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes its connections is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Listener(queue.SimpleQueue[str | None]):
    """An open stream: what is put into it is sent, None ends it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Gallery:
    """The server and what a test may change about it."""

    def __init__(self, port: int = 0) -> None:
        self.lines = len(s.LOG)
        self.theme = "system"
        self.language = "en"
        self.listeners: list[Listener] = []
        self.pages = dict(gallery.PAGES)
        self.posted: list[tuple[str, bytes]] = []
        self.missing_everything = True
        self.is_away = False
        owner = self

        class Handler(_Handler):
            gallery = owner

        self._server = _Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # Asked to end, it looks only so often.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def followers(self, path: str) -> list[Listener]:
        """The open streams whose address ends so."""
        return [listener for listener in self.listeners if listener.path.endswith(path)]

    def announce(self, kind: str, identifier: str) -> None:
        """Tell every page that something changed."""
        for listener in self.listeners:
            listener.put(f'event: changed\ndata: {{"kind": "{kind}", "id": "{identifier}"}}\n\n')

    def drop_connections(self) -> None:
        """End every event stream, as a restart of the control plane does."""
        for listener in self.listeners:
            listener.put(None)

    def close(self) -> None:
        self.drop_connections()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def wait(self) -> None:
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gallery: Gallery

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith(static_files.URL):
            self._asset(static_files.FOLDER / parts.path.removeprefix(static_files.URL + "/"))
        elif parts.path == AXE:
            self._asset(_AXE)
        elif parts.path.startswith("/api/") and self.gallery.is_away:
            self._send(b"", "text/plain", 503, {})
        elif parts.path.endswith(("/api/events/stream", "/logs/runtime/stream")):
            self._stream()
        elif parts.path.startswith("/api/"):
            self._api(parts.path, query)
        elif parts.path in self.gallery.pages:
            self._page(parts.path, query)
        else:
            self._page("/error-404", query, status=404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.gallery.posted.append((self.path, body))
        if self.path == "/api/blobs/missing":
            hashes = json.loads(body)["hashes"]
            self._data({"missing": hashes if self.gallery.missing_everything else []})
        elif self.path == "/api/blobs":
            self._data({"stored": 1}, status=201)
        elif self.path == "/api/sources/left-out":
            asked = json.loads(body)
            found = ignore.sift(asked["paths"], asked["rules"])
            self._data({"byRules": found.by_rules, "always": found.always})
        elif self.path in gallery_builder.ANSWERS:
            self._data(gallery_builder.ANSWERS[self.path])
        elif self.path.startswith("/api/charts/"):
            self._charts(self.path.removeprefix("/api/charts/"), body)
        elif self.path.startswith("/api/sources"):
            self._data({"id": q.SOURCE.id}, status=201)
        else:
            self.send_response(303)
            self.send_header("Location", self.headers.get("Referer", "/projects"))
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_PUT = do_POST

    def _page(self, path: str, query: dict[str, str], status: int = 200) -> None:
        if path == "/projects/new" and query.get("source"):
            path = "/projects/new-plan"
        elif path == "/projects/new" and query.get("from") == "git":
            path = "/projects/new-git"
        elif path == "/projects/new" and query.get("from") == "image":
            path = "/projects/new-image"
        cookies = self.headers.get("Cookie", "")
        chosen = [theme for theme in page.THEMES if f"windlass_theme={theme}" in cookies]
        template, signed_in, context = self.gallery.pages[path]
        with languages.speaking(self.gallery.language):
            text = page.render(
                template,
                fragment="HX-Request" in self.headers,
                path=urlsplit(self.path).path,
                theme=chosen[0] if chosen else self.gallery.theme,
                now=s.NOW,
                user=s.USER if signed_in else None,
                notice=page.NOTICES.get(query.get("notice", "")),
                **context,
            )
        self._send(
            text.encode(), "text/html; charset=utf-8", status, {**SECURITY_HEADERS, **page.HEADERS}
        )

    def _asset(self, file: Path) -> None:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        self._send(file.read_bytes(), kind, 200, headers)

    def _api(self, path: str, query: dict[str, str]) -> None:
        if path.endswith("/logs"):
            self._logs(int(query.get("after", "0")), int(query.get("limit", "100")))
        elif path.endswith("/logs/stream"):
            self._stream()
        elif path in gallery_builder.ANSWERS:
            self._data(gallery_builder.ANSWERS[path])
        elif path == "/api/charts/schema":
            self._data(builder.model())
        elif path == "/api/charts/fields":
            found = builder.field(query["apiVersion"], query["kind"], query["path"])
            self._data(msgspec.to_builtins(found))
        elif path == "/api/projects":
            self._data(
                [{"name": found.name, "slug": found.slug, "ref": found.ref} for found in s.PROJECTS]
            )
        elif path == "/api/teams":
            self._data([{"name": found.name, "slug": found.slug} for found in p.TEAMS])
        elif path == "/api/deployments":
            self._data([_deployment(found) for found in s.DEPLOYMENTS])
        else:
            found = [one for one in s.DEPLOYMENTS if path.endswith(one.id)]
            self._data(_deployment(found[0] if found else s.FAILED))

    def _charts(self, what: str, body: bytes) -> None:
        """What the builder asks is answered by what answers it in the product."""
        kind, work = _CHARTS[what]
        try:
            self._data(msgspec.to_builtins(work(msgspec.json.decode(body, type=kind))))
        except AppError as error:
            told = {"code": error.code, "message": error.message, "details": error.details}
            answer = msgspec.json.encode({"ok": False, "error": told})
            self._send(answer, "application/json", error.status, {})

    def _logs(self, after: int, limit: int) -> None:
        last = min(self.gallery.lines, after + limit)
        lines: list[dict[str, Any]] = []
        for seq in range(after + 1, last + 1):
            known = s.log_line(seq) if self.gallery.lines <= len(s.LOG) else None
            lines.append(
                {
                    "seq": seq,
                    "level": known.level if known else _LEVELS[seq % 8],
                    "step": known.step if known else ("install" if seq < 1000 else "build"),
                    "message": known.message if known else f"[{seq}] compiling module {seq % 97}",
                    "timestamp": f"2026-11-21T08:{seq % 60:02}:00Z",
                }
            )
        self._data(lines, pagination={"hasMore": last < self.gallery.lines})

    def _data(
        self, data: object, status: int = 200, pagination: dict[str, object] | None = None
    ) -> None:
        envelope = {"ok": True, "data": data, "error": None, "meta": {"pagination": pagination}}
        self._send(msgspec.json.encode(envelope), "application/json", status, {})

    def _send(self, body: bytes, kind: str, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Server-sent events until the test or the browser ends them."""
        self.close_connection = True
        listener = Listener(urlsplit(self.path).path)
        self.gallery.listeners.append(listener)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b"event: connected\ndata: {}\n\n")
            while (message := listener.get()) is not None:
                self.wfile.write(message.encode())
        except OSError:
            return
        finally:
            self.gallery.listeners.remove(listener)


def _deployment(found: Any) -> dict[str, object]:
    return {
        "id": found.id,
        "status": found.status,
        "commitMessage": found.commit_message,
        "branch": found.branch,
        "project": {
            "name": found.project.name,
            "slug": found.project.slug,
            "ref": found.project.ref,
        },
        "errorMessage": found.error_message,
        "finishedAt": dt.datetime.now(dt.UTC).isoformat(),
    }


if __name__ == "__main__":
    served = Gallery(int(sys.argv[1]) if len(sys.argv) > 1 else 8099)
    print(served.url)
    for page_path in served.pages:
        print(served.url + page_path)
    served.wait()
