"""Folders to deploy, made by tests."""

import json
from pathlib import Path

SERVER = """
import http.server, os, signal, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        if self.path == "/slow":
            time.sleep(1.5)
        version = open("version.txt").read().strip()
        body = f"{version} {os.environ.get('COLOUR', 'none')}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *_): pass

print("starting", flush=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


def static(folder: Path, text: str = "one", **files: str) -> Path:
    """A site of one page, and whatever else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(f"<h1>{text}</h1>")
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def built(folder: Path, command: str, *, output: str = "out", text: str = "built") -> Path:
    """A site that a shell command builds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.html").write_text(f"<h1>{text}</h1>")
    lines = f"build_command = {json.dumps(command)}\noutput_directory = {json.dumps(output)}\n"
    (folder / "windlass.toml").write_text(lines)
    return folder


def installed(folder: Path) -> Path:
    """A site whose dependencies are installed, kept, and used by its build."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"name": "built", "version": "1.0.0"}')
    (folder / "package-lock.json").write_text('{"name": "built", "lockfileVersion": 3}')
    (folder / "windlass.toml").write_text(
        'install_command = "mkdir -p node_modules/a; echo dependency > node_modules/a/index.html"\n'
        'build_command = "mkdir -p out; sleep 0.3; cp node_modules/a/index.html out/"\n'
        'output_directory = "out"\n'
    )
    return folder


def server(folder: Path, version: str = "one", *, start: str = "python3 server.py") -> Path:
    """A server of the standard library."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.py").write_text(SERVER)
    (folder / "version.txt").write_text(version)
    (folder / "windlass.toml").write_text(f"start_command = {json.dumps(start)}\n")
    return folder


WORKER = """
import time
print("at work on version", open("version.txt").read(), flush=True)
while True:
    time.sleep(60)
"""


def worker(folder: Path) -> Path:
    """A worker beside the server of this folder."""
    (folder / "worker.py").write_text(WORKER)
    (folder / "Procfile").write_text("worker:\tpython3 worker.py\n")
    return folder


def workers_of(id: str) -> set[int]:
    """The processes of a worker's sandbox, found by its name."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"app-{id}-worker".encode() in argv:
                found.add(int(entry.name))
    return found
