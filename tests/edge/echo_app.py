"""The app behind the proxy in these tests: one file, no dependencies, every behaviour a path."""

import asyncio
import hashlib
import json
import os
import signal
import sys

NAME = os.environ.get("NAME", "")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await answer(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return False
    line, *lines = head.rstrip("\r\n").split("\r\n")
    if line.count(" ") != 2:
        # As good servers do. Had it only closed, the edge would have asked again.
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return False
    method, target, _ = line.split(" ")
    headers = {n.lower(): v for n, v in (text.split(": ", 1) for text in lines)}
    path, _, query = target.partition("?")

    if path == "/early":
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()
        return False
    if path == "/refused":
        # As good servers do: the answer first, the body is read away afterwards.
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await reader.readexactly(int(headers["content-length"]))
        return True
    if path == "/garbage":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
        return False
    if path == "/cut":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        await writer.drain()
        return False
    if path == "/nothing":
        return False
    if path == "/hang":
        await asyncio.Event().wait()
    if path == "/crash":
        print("going down", flush=True)
        os._exit(3)
    if path == "/once":
        # Answers well and then closes without saying so, as idle time-outs do.
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce")
        await writer.drain()
        return False
    if path == "/websocket":
        return await tunnel(reader, writer, headers)
    if path == "/events":
        return await events(writer, int(query or 3))
    if path == "/until-end":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        await writer.drain()
        return False
    if path == "/flood":
        return await flood(writer, int(query))
    if path == "/hints":
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")

    body = await read_body(reader, headers)
    if path == "/until":
        while not os.path.exists(query):  # noqa: ASYNC110 - a file sends no event
            await asyncio.sleep(0.01)
    if path == "/slow":
        await asyncio.sleep(float(query))
    status = 200
    if path.startswith("/status/"):
        status = int(path.rpartition("/")[2])
    told = {
        "name": NAME,
        "pid": os.getpid(),
        "method": method,
        "target": target,
        "headers": headers,
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    content = json.dumps(told).encode()
    extra = b"X-Windlass-Deployment: forged\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
    writer.write(b"HTTP/1.1 %d Fine\r\n" % status + extra)
    if path == "/chunked":
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(content), 7):
            piece = content[start : start + 7]
            writer.write(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
        writer.write(b"0\r\nX-Trailer: 1\r\n\r\n")
    else:
        writer.write(b"Content-Length: %d\r\n\r\n" % len(content))
        if method != "HEAD":
            writer.write(content)
    await writer.drain()
    return True


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body
    return await reader.readexactly(int(headers.get("content-length", "0")))


async def tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]
) -> bool:
    if "upgrade" not in headers:
        writer.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
        return True
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"goodbye")
    await writer.drain()
    return False


async def events(writer: asyncio.StreamWriter, count: int) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
    writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
    for number in range(count):
        text = b"data: %d\n\n" % number
        writer.write(b"%x\r\n%s\r\n" % (len(text), text))
        await writer.drain()
        await asyncio.sleep(0.01)
    await asyncio.Event().wait()
    return False


async def flood(writer: asyncio.StreamWriter, size: int) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    while size:
        piece = min(size, 65536)
        writer.write(b"x" * piece)
        await writer.drain()
        size -= piece
    return True


async def main() -> None:
    await asyncio.sleep(float(os.environ.get("START_SECONDS", "0")))
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]))
    print(f"listening as {NAME} with {os.environ.get('TOKEN', '')}", flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    print("told to stop", flush=True)
    server.close()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
