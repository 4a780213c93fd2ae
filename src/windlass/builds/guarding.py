"""A network for the RUN steps of a build: nothing but the guarded proxy, as in a sandbox.

The engine cannot make one, but lets a build join the network of a container. So a container of ours
that does nothing, and has no network, lends it for as long as the build takes; the proxy listens in
it through a socket that is made from outside.
"""

import contextlib
import io
import struct
import tarfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from windlass.core import container as containers
from windlass.core import launch_plan, netns
from windlass.core.container_calls import remove
from windlass.core.egress import Egress
from windlass.core.engine import Engine, EngineRefused
from windlass.core.launch_spec import PROXY_PORT

# The engine's helper that becomes the program counts here with its threads: with 4 processes
# allowed it died now and then ("fork rejected by pids controller").
_MEMORY_BYTES = 64 << 20
_PROCESSES = 64
# `pause(2)` again and again, for each architecture that engines run on.
_WAITS = {
    "amd64": (62, bytes.fromhex("b8220000000f05ebf7")),
    # `ppoll` with nothing to wait for, which arm64 has instead.
    "arm64": (183, bytes.fromhex("000080d2 010080d2 020080d2 030080d2 280980d2 010000d4 faffff17")),
}
_BASE = 0x400000


@asynccontextmanager
async def guarded_network(
    engine: Engine,
    instance: str,
    build: str,
    *,
    architecture: str,
    egress: Egress,
    on_refusal: Callable[[str], None],
) -> AsyncGenerator[str]:
    """A value for `networkmode`. Raises OSError where networks cannot be entered from here."""
    name = f"windlass-{instance}-build-{build}"
    image = await _image(engine, instance, architecture)
    # One that a crash left.
    await remove(engine, name)
    body = {
        "Image": image,
        "Labels": containers.labels(instance, "build", release=build),
        "HostConfig": {
            "NetworkMode": "none",
            "Memory": _MEMORY_BYTES,
            "PidsLimit": _PROCESSES,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
        },
    }
    made = cast(
        dict[str, Any],
        await engine.call("POST", "/containers/create", {"name": name}, body=body),
    )
    id = str(made["Id"])
    try:
        await engine.call("POST", f"/containers/{id}/start", seconds=60)
        found = cast(dict[str, Any], await engine.call("GET", f"/containers/{id}/json"))
        network = netns.Network(int(found["State"]["Pid"]), container=id)
        try:
            attached = await egress.attach(
                network.listen("127.0.0.1", PROXY_PORT), on_refusal=on_refusal
            )
            try:
                yield f"container:{id}"
            finally:
                await attached.close()
        finally:
            network.close()
    finally:
        await remove(engine, id)


def arguments() -> dict[str, str]:
    """The arguments that every build knows and no image remembers."""
    known = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    found = launch_plan.proxy_environment()
    return {name: found[name] for name in known}


async def _image(engine: Engine, instance: str, architecture: str) -> str:
    """The image with the one program; made where it is missing."""
    name = f"windlass-{instance}:guard"
    with contextlib.suppress(EngineRefused):
        await engine.call("GET", f"/images/{name}/json")
        return name
    label = f"LABEL {containers.INSTANCE}={instance}"
    query = f"fromSrc=-&repo=windlass-{instance}&tag=guard&changes=CMD%20%5B%22%2Fwait%22%5D"
    query += f"&changes={label.replace(' ', '%20').replace('=', '%3D')}"
    await engine.call("POST", f"/images/create?{query}", content=_tar(program(architecture)))
    return name


def program(architecture: str) -> bytes:
    """The smallest program that does nothing for ever. Raises OSError for a strange machine."""
    if architecture not in _WAITS:
        raise netns.CannotEnter(f"no guard for {architecture}")
    machine, code = _WAITS[architecture]
    start, size = _BASE + 120, 120 + len(code)
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, machine, 1, start, 64, 0, 0, 64, 56, 1, 0,
        0, 0,
    )  # fmt: skip
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000) + code


def _tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("wait")
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
