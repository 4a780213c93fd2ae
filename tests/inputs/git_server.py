"""A real Git server on loopback: `git http-backend` behind Python's own HTTP server."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "safe.directory=*", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


class GitServer(ThreadingHTTPServer):
    """Serves the repositories below `root`, and some paths that misbehave."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.redirect_to = ""
        self.speaks_old = False
        # What answers below /api/, as a Git host has it: method, path, body → status, JSON.
        self.api: Callable[[str, str, bytes], tuple[int, bytes]] | None = None
        self.stall_after: int | None = None
        self.released = threading.Event()
        self.stalled = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are part of the tests."""

    def make(self, name: str, files: dict[str, bytes | str]) -> Path:
        """A repository with one commit; text means a link's target."""
        work = self.root / f"{name}-work"
        work.mkdir()
        git(work, "init", "--quiet")
        for path, content in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                (work / path).symlink_to(content)
            else:
                (work / path).write_bytes(content)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", "Say hello\n\nAt length.")
        self.publish(name)
        return work

    def publish(self, name: str) -> None:
        """What is in the working folder now is what is served."""
        work, bare = self.root / f"{name}-work", self.root / f"{name}.git"
        git(self.root, "clone", "--quiet", "--mirror", str(work), str(bare))


class _Handler(BaseHTTPRequestHandler):
    server: GitServer
    protocol_version: ClassVar[str] = "HTTP/1.0"

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/api/") and self.server.api is not None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._say(*self.server.api(self.command, self.path, body))
        elif path.startswith("/page"):
            self._say(200, b"<!doctype html>\n<title>Page</title>\n<h1>only a page</h1>\n")
        elif path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", f"{self.server.redirect_to}?{query}")
            self.end_headers()
        elif path.startswith("/stall"):
            self._stall()
        elif path.startswith("/locked/") and not self._knows_password():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self._run(path.removeprefix("/locked"), query)

    do_POST = do_PATCH = do_GET

    def _knows_password(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(given) == b"user:password"

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def _stall(self) -> None:
        self.server.stalled.set()
        self.server.released.wait(30)

    def _run(self, path: str, query: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = {
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": (
                "" if self.server.speaks_old else self.headers.get("Git-Protocol", "")
            ),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        limit = self.server.stall_after
        self.wfile.write(content[:limit])
        if limit is not None and len(content) > limit:
            self.wfile.flush()
            self._stall()


@contextmanager
def serving(root: Path, *, tls: ssl.SSLContext | None = None) -> Iterator[GitServer]:
    root.mkdir(parents=True, exist_ok=True)
    with GitServer(root) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            server.url = server.url.replace("http:", "https:")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
