"""A small but real HTTP server that keeps the API's contract in memory, for these tests.

It checks what it is sent as the real server does (digests, lengths, tokens), records every request,
and can be told to misbehave: drop a stream, refuse streams, answer with an error.
"""

import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.cli.answers import Answers, Refused, existing
from tests.cli.panel import FINISHED, Call, Panel


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    @property
    def panel(self) -> Panel:
        return self.server.panel

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = self._body()
        headers = {key.lower(): value for key, value in self.headers.items()}
        call = Call(self.command, unquote(parts.path), query, body, headers, parts.path)
        with self.panel.changed:
            self.panel.calls.append(call)
        if (call.method, call.path) == ("POST", "/api/deployments"):
            self.panel.may_create.wait(10)
        if (call.method, call.path) == ("POST", "/api/blobs"):
            self.panel.may_upload.wait(10)
        try:
            failure = self.panel.failures.pop(0) if self.panel.failures else None
            if failure == "":
                self.close_connection = True
                return
            if failure is not None:
                status, more = failure
                plain = more.get("Content-Type") == "text/plain"
                away = "Away." if plain else self._error("SERVICE_UNAVAILABLE", "Away.")
                self._send(status, away, more)
                return
            self._authorise(call)
            if call.path.endswith("/logs/runtime/stream"):
                self._tail(call)
                return
            if call.path.endswith("/logs/stream"):
                self._stream(call)
                return
            status, data, page = Answers(self.panel).of(call)
            meta = {"timing": {"durationMs": 1}, **({"pagination": page} if page else {})}
            self._send(status, {"ok": True, "data": data, "meta": meta})
        except Refused as error:
            self._send(error.status, self._error(error.code, error.message, error.details))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raise AssertionError("the client must know the length of what it sends")
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _error(self, code: str, message: str, details: object = None) -> dict[str, Any]:
        shown = {"code": code, "message": message, "requestId": "req_test1"}
        if details:
            shown["details"] = details  # type: ignore[assignment]
        return {"ok": False, "error": shown}

    def _send(self, status: int, answer: object, headers: dict[str, str] | None = None) -> None:
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        there = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in {**there, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _authorise(self, call: Call) -> None:
        if call.path.startswith("/api/auth/device"):
            return
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if given not in self.panel.tokens.values():
            raise Refused(401, "UNAUTHORIZED", "Sign in first.")

    def _tail(self, call: Call) -> None:
        """What the application writes: it never ends by itself."""
        panel = self.panel
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._event("connected", {})
        last = int(call.query["last"])
        at = int(call.headers.get("last-event-id", max(0, len(panel.output) - last)))
        while True:
            with panel.changed:
                lines = panel.output[at:]
                if not lines and not panel.changed.wait(10):
                    return
            for line in lines:
                at += 1
                self._event("log", line, at)
                if panel.drop_stream_after == at:
                    panel.drop_stream_after = None
                    return

    def _stream(self, call: Call) -> None:
        panel, deployment_id = self.panel, call.path.split("/")[3]
        if not panel.streams:
            raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
        deployment = existing(panel.deployments.get(deployment_id))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._event("connected", {"id": deployment_id})
        at = int(call.headers.get("last-event-id", -1)) + 1
        status, sent = "", 0
        while True:
            with panel.changed:
                lines = panel.logs[deployment_id][at:]
                now = dict(deployment)
                if not lines and now["status"] == status:
                    panel.changed.wait(10)
                    continue
            for line in lines:
                self._event("log", line, line["seq"])
                at, sent = at + 1, sent + 1
                if panel.drop_stream_after == sent:
                    panel.drop_stream_after = None
                    return
            if now["status"] in FINISHED:
                self._event("complete", now)
                return
            if now["status"] != status:
                status = now["status"]
                self._event("status", now)

    def _event(self, name: str, value: object, number: int | None = None) -> None:
        identity = f"id: {number}\n" if number is not None else ""
        self.wfile.write(f"event: {name}\n{identity}data: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, panel: Panel, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.panel = panel
        panel.may_create.set()
        panel.may_upload.set()
        panel.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no error; anything else is shown by the thread's default hook."""
        import sys

        if not isinstance(sys.exception(), (BrokenPipeError, ConnectionResetError, ssl.SSLError)):
            super().handle_error(request, client_address)
