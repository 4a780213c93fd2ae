"""Requests that fail, and WebSockets that end without a close frame, while two apps are redeployed.

    .venv/bin/python -m benchmarks.switch_server [--deploys 20] [--requests 20000]

A FastAPI app (uvicorn) and an Express app (Node) are each deployed again and again with `windlass
deploy --prod`, under load of keep-alive visitors and with WebSockets open that come back whenever
they are closed. A request has failed when it was not answered with 200, or not by one of the two
versions that may answer. The first deploys install from the registries; the others take the cache.
"""

import argparse
import asyncio
import base64
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.edge.client import Client, head
from tests.running import Instance

FASTAPI = """
import os
from pathlib import Path
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
VERSION = Path("version.txt").read_text().strip()

@app.get("/")
async def home():
    return VERSION

@app.websocket("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass
"""
EXPRESS = """
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const express = require("express");
const { WebSocketServer } = require("ws");
const app = express();
const version = readFileSync("version.txt", "utf8").trim();
app.get("/", (request, response) => response.json(version));
const server = createServer(app);
new WebSocketServer({ server, path: "/socket" }).on("connection", (socket) => {
  socket.on("message", (message) => socket.send(message.toString()));
  socket.on("error", () => {});
});
server.listen(process.env.PORT, "127.0.0.1");
"""
SETTINGS = "drain_seconds = 2\n"


class Seen:
    """What visitors saw."""

    def __init__(self) -> None:
        self.requests = Counter[str]()
        self.failures: list[str] = []
        self.closes = Counter[str]()
        self.messages = 0
        self.is_over = False


def fastapi(folder: Path) -> Path:
    folder.mkdir()
    (folder / "main.py").write_text(FASTAPI)
    (folder / "requirements.txt").write_text("fastapi\nuvicorn\nwebsockets\n")
    start = "uvicorn main:app --host 127.0.0.1 --port $PORT"
    (folder / "windlass.toml").write_text(f"start_command = {json.dumps(start)}\n{SETTINGS}")
    return folder


def express(folder: Path) -> Path:
    folder.mkdir()
    (folder / "server.js").write_text(EXPRESS)
    package = {"name": "switched", "dependencies": {"express": "^5", "ws": "^8"}}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "windlass.toml").write_text(f'start_command = "node server.js"\n{SETTINGS}')
    return folder


async def visit(port: int, host: str, seen: Seen) -> None:
    """One visitor who keeps the connection, as browsers do."""
    client = await Client.connect(port)
    while not seen.is_over:
        try:
            answer = await client.ask("/", host=host)
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            seen.failures.append(f"{host}: {error!r}")
            client = await Client.connect(port)
            continue
        seen.requests[host] += 1
        if answer.status != 200 or not answer.text.startswith('"version '):
            seen.failures.append(f"{host}: {answer.status} {answer.text[:80]}")


async def chat(port: int, host: str, seen: Seen) -> None:
    """One WebSocket that says something now and then, and comes back when it was ended."""
    while not seen.is_over:
        client = await Client.connect(port)
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = head(
            "/socket",
            host=host,
            connection="Upgrade",
            upgrade="websocket",
            sec_websocket_key=key,
            sec_websocket_version="13",
        )
        await client.send(upgrade)
        answer = await client.answer_head()
        if answer.status != 101:
            seen.failures.append(f"{host}: socket {answer.status}")
        elif code := await _talk(client, seen):
            seen.closes[code] += 1
        await client.close()


async def _talk(client: Client, seen: Seen) -> str | None:
    """Until it is closed: the code of the close frame, or how it ended without one."""
    mask = b"\0\0\0\0"
    while not seen.is_over:
        try:
            await client.send(b"\x81\x85" + mask + b"hello")
            start = await asyncio.wait_for(client.reader.readexactly(2), 30)
            content = await client.reader.readexactly(start[1] & 127)
        except (OSError, EOFError, TimeoutError):
            return "no close frame"
        if start[0] & 15 == 8:
            return str(int.from_bytes(content[:2], "big"))
        if start[0] & 15 == 9:
            # Servers end a WebSocket that does not answer their pings.
            await client.send(bytes((0x8A, 0x80 | len(content))) + mask + content)
            continue
        seen.messages += 1
        await asyncio.sleep(0.1)
    return None


async def redeploy(instance: Instance, folder: Path, times: int) -> None:
    for number in range(1, times + 1):
        (folder / "version.txt").write_text(f"version {number}\n")
        done = await asyncio.to_thread(instance.deploy, folder, "--prod")
        assert done["status"] == "ready", done


async def measure(instance: Instance, folders: list[Path], given: argparse.Namespace) -> Seen:
    seen, hosts = Seen(), list[str]()
    for folder in folders:
        (folder / "version.txt").write_text("version 0\n")
        live = await asyncio.to_thread(instance.deploy, folder)
        hosts.append(live["url"].split("//")[1].split(":")[0])
    tasks = [
        asyncio.create_task(work(instance.port, host, seen))
        for host in hosts
        for work in (visit, visit, chat, chat)
    ]
    began = time.monotonic()
    await asyncio.gather(*(redeploy(instance, folder, given.deploys) for folder in folders))
    print(f"{given.deploys} deploys of each took {time.monotonic() - began:.0f} s")
    while sum(seen.requests.values()) < given.requests:  # noqa: ASYNC110 - others count
        await asyncio.sleep(0.1)
    # The last switch closes its WebSockets when the drain time is over.
    await asyncio.sleep(4)
    seen.is_over = True
    await asyncio.gather(*tasks)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deploys", type=int, default=20)
    parser.add_argument("--requests", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wlb") as folder:
        instance = Instance(Path(folder))
        instance.start()
        try:
            folders = [fastapi(Path(folder) / "fastapi-app"), express(Path(folder) / "express-app")]
            seen = asyncio.run(measure(instance, folders, given))
        finally:
            instance.stop()
    total = sum(seen.requests.values())
    print(f"{len(seen.failures)} of {total} requests failed ({dict(seen.requests)})")
    for failure in seen.failures[:10]:
        print(f"  {failure}")
    print(f"WebSockets: {seen.messages} messages, closed with {dict(seen.closes)}")


if __name__ == "__main__":
    main()
