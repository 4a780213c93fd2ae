"""A container as data: what it may use, how the engine is told, and by which names and labels
everything of ours is known again. What has no label of this instance is never touched.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from windlass.core import launch_plan
from windlass.core.launch_spec import Exit, Launch

INSTANCE = "windlass.instance"
ROLE = "windlass.role"
PROJECT = "windlass.project"
RELEASE = "windlass.release"
PROCESS = "windlass.process"
CACHE = "windlass.cache"
SPEC = "windlass.spec"
WRITABLE = "windlass.writable"
Role = Literal["app", "build", "network"]
_ID = re.compile(r"[0-9a-f]{12}")
_LOG = {"Type": "json-file", "Config": {"max-size": "4m", "max-file": "2"}}
_TEMPORARY = "rw,nosuid,nodev,size={bytes},mode=1777"
_STOP_SECONDS = 10


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """What a release's process needs to be run by an engine, besides its launch."""

    image: str
    """`sha256:…` of what was built, or `repository@sha256:…` of what was pulled."""
    named: str
    """What people call it: `nginx:1.27`, or `Dockerfile`."""
    project: str
    release: str
    process: str = "web"
    port: int = 3000
    command: tuple[str, ...] | None = None
    """None: what the image says."""
    health: tuple[str, ...] = ()
    """The image's HEALTHCHECK, as the engine keeps it: `CMD-SHELL`, then the command."""
    network: Literal["guarded", "open"] = "guarded"
    read_only: bool | None = None
    """None: tried, and given up for this release when it cannot live with that."""


def instance_id(home: Path) -> str:
    """Twelve digits that name this instance on any engine; made once."""
    path = home / "keys" / "instance"
    try:
        found = path.read_text().strip()
    except FileNotFoundError:
        found = ""
    if _ID.fullmatch(found):
        return found
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".instance.{os.getpid()}")
    draft.write_text(os.urandom(6).hex() + "\n")
    try:
        # Whoever is first names it, for edge and worker alike.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


def name_of(instance: str, container: Container) -> str:
    """The container's name: one for each process of a release."""
    return f"windlass-{instance}-{container.release}-{container.process}"


def network_of(instance: str, project: str) -> str:
    """The name of the project's own network."""
    return f"windlass-{instance}-{project}"


def image_of(instance: str, release: str) -> str:
    """The tag that holds a release's image."""
    return f"windlass-{instance}:{release}"


def labels(instance: str, role: Role, **further: str) -> dict[str, str]:
    """What everything of ours carries."""
    return {INSTANCE: instance, ROLE: role, **{f"windlass.{k}": v for k, v in further.items()}}


def only_ours(instance: str, **further: str) -> str:
    """The `filters` of a list: nothing of anybody else is ever in it."""
    wanted = [f"{INSTANCE}={instance}", *(f"windlass.{k}={v}" for k, v in further.items())]
    return json.dumps({"label": wanted})


def network_body(instance: str, container: Container) -> dict[str, Any]:
    """A network of the project alone. A guarded one leads nowhere: no way out, and the machine
    itself has no address in it."""
    body: dict[str, Any] = {
        "Name": network_of(instance, container.project),
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Labels": labels(instance, "network", project=container.project),
    }
    if container.network == "guarded":
        body["Internal"] = True
        body["Options"] = {"com.docker.network.bridge.inhibit_ipv4": "true"}
    return body


def create_body(
    instance: str, container: Container, launch: Launch, *, read_only: bool
) -> dict[str, Any]:
    """The body of `POST /containers/create`."""
    limits, guarded = launch.limits, container.network == "guarded"
    env = {**(launch_plan.proxy_environment() if guarded else {}), **launch.env}
    host: dict[str, Any] = {
        "NetworkMode": network_of(instance, container.project),
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": int(limits.cpus * 1_000_000_000),
        "PidsLimit": limits.processes,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "ReadonlyRootfs": read_only,
        "Tmpfs": {
            "/tmp": _TEMPORARY.format(bytes=limits.tmp_bytes),  # noqa: S108 - inside
            **({"/run": _TEMPORARY.format(bytes=16 << 20)} if read_only else {}),
        },
        "RestartPolicy": {"Name": "no"},
        "LogConfig": _LOG,
        "Init": True,
        "IpcMode": "private",
        "OomKillDisable": False,
    }
    body: dict[str, Any] = {
        "Image": container.image,
        "Env": [f"{name}={value}" for name, value in sorted(env.items())],
        # Asked by us, before traffic comes; the engine's own clock begins with half a minute.
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": _STOP_SECONDS,
        "HostConfig": host,
        "Labels": labels(
            instance, "app",
            project=container.project, release=container.release, process=container.process,
        ),
    }  # fmt: skip
    if guarded:
        # A name that is not in the project's network does not exist; nobody else is asked.
        host["Dns"] = ["127.0.0.1"]
        host["ExtraHosts"] = [
            f"{target.rpartition(':')[0]}:127.0.1.{number}"
            for number, target in enumerate(launch.connect, start=1)
        ]
    else:
        host["PortBindings"] = {f"{container.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
        body["ExposedPorts"] = {f"{container.port}/tcp": {}}
    if container.command is not None:
        body["Cmd"] = list(container.command)
    body["Labels"][SPEC] = _hash(body)
    if not read_only:
        body["Labels"][WRITABLE] = "yes"
    return body


def exit_of(state: dict[str, Any], *, seconds: float) -> Exit:
    """How it ended, from the engine's `State`."""
    code = int(state.get("ExitCode", 0))
    killed = code - 128 if 128 < code <= 192 else None
    return Exit(
        code=None if killed else code,
        signal=killed,
        reason="out-of-memory" if state.get("OOMKilled") else None,
        seconds=seconds,
    )


def health_command(test: tuple[str, ...]) -> list[str] | None:
    """What a HEALTHCHECK runs inside; None when there is none."""
    match test:
        case ("CMD", *argv) if argv:
            return list(argv)
        case ("CMD-SHELL", command):
            return ["/bin/sh", "-c", command]
        case _:
            return None


def _hash(body: dict[str, Any]) -> str:
    """The same however its root is mounted: a container that was given a writable one stays."""
    host = {**body["HostConfig"], "ReadonlyRootfs": None, "Tmpfs": None}
    text = json.dumps({**body, "HostConfig": host}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
