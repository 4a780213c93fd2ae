"""A Git host's API, on a port of its own: it keeps what it was told, and may be away."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    method: str = "POST"
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class HostServer(ThreadingHTTPServer):
    """Answers 201 to everything, or what `answers` holds first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.answers: list[int] = []
        # What stands below pull requests, by id.
        self.comments: dict[int, str] = {}
        self._ids = iter(range(1000, 9000))
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def comment(self, asked: Asked) -> tuple[int, Any]:
        """As the hosts keep comments: made, changed while it is there, and listed."""
        path = asked.path.partition("?")[0]
        is_bitbucket = "/pullrequests/" in path
        if asked.method == "GET":
            rows = [_shaped(id, text, is_bitbucket) for id, text in self.comments.items()]
            return 200, {"values": rows} if is_bitbucket else rows
        text = asked.body["content"]["raw"] if is_bitbucket else asked.body["body"]
        if asked.method == "POST":
            id = next(self._ids)
        elif (id := int(path.rpartition("/")[2])) not in self.comments:
            return 404, {}
        self.comments[id] = text
        return 201, _shaped(id, text, is_bitbucket)


def _shaped(id: int, text: str, is_bitbucket: bool) -> dict[str, Any]:
    return {"id": id} | ({"content": {"raw": text}} if is_bitbucket else {"body": text})


class _Handler(BaseHTTPRequestHandler):
    server: HostServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(method=self.command, path=self.path, headers=headers, body=json.loads(body))
        self.server.asked.append(asked)
        status, answer = self.server.answers.pop(0) if self.server.answers else 201, {}
        if status == 201 and ("/comments" in self.path or "/notes" in self.path):
            status, answer = self.server.comment(asked)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PATCH = do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
