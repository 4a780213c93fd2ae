"""What an image says of itself, and what of that a release must know."""

from typing import Any, cast

import msgspec

from windlass.builds.plan import ContainerPlan, Plan
from windlass.builds.pulling import Pulled
from windlass.builds.steps import BuildFailed, Log
from windlass.core import container as containers
from windlass.core.languages import N_
from windlass.core.manifest import size_text

_SAME = {"x86_64": "amd64", "aarch64": "arm64"}


def finished(plan: Plan, made: Pulled, log: Log, *, architecture: str) -> Plan:
    """The plan with the image's port, its check and its size. Raises BuildFailed for one that
    cannot run here."""
    wanted = plan.container or ContainerPlan()
    config = cast(dict[str, Any], made.about.get("Config") or {})
    _refuse_foreign(made.about, architecture)
    if not (config.get("Cmd") or config.get("Entrypoint") or plan.start_command):
        text = N_("The image says no command to run: give it a CMD, or set a start command.")
        raise BuildFailed("NO_COMMAND", text)
    port = wanted.port or _port(config, log)
    _say(config, log)
    size = int(made.about.get("Size") or 0)
    log.say(f"Image {str(made.about['Id'])[7:19]}, {size_text(size)}, port {port}")
    known = msgspec.structs.replace(
        wanted,
        digest=made.pin,
        was_pulled=made.was_absent,
        health=tuple((config.get("Healthcheck") or {}).get("Test") or ()),
        size_bytes=size,
    )
    return msgspec.structs.replace(plan, container=known, port=port)


def _refuse_foreign(about: dict[str, Any], engine: str) -> None:
    """One for another processor ends with `exec format error`, which says nothing."""
    image = str(about.get("Architecture") or "")
    if image and _SAME.get(image, image) != _SAME.get(engine, engine):
        text = N_(
            "The image is for {image} processors, and the engine runs on {engine}: build it for"
            " {engine}, or for both."
        ).format(image=image, engine=engine)
        raise BuildFailed("WRONG_ARCHITECTURE", text)


def _say(config: dict[str, Any], log: Log) -> None:
    """What people should know before they wonder."""
    user = str(config.get("User") or "").partition(":")[0]
    if user in ("", "0", "root"):
        log.say(
            "The image runs as root: inside, without capabilities and without a way to more"
            " rights. USER in the Dockerfile is better",
            "warn",
        )
    if containers.health_command(tuple((config.get("Healthcheck") or {}).get("Test") or ())):
        log.say("HEALTHCHECK: must pass before visitors come")
    if volumes := ", ".join(config.get("Volumes") or ()):
        log.say(f"VOLUME {volumes}: gone with each container, nothing is kept", "warn")


def _port(config: dict[str, Any], log: Log) -> int:
    exposed = [each.partition("/") for each in config.get("ExposedPorts") or {}]
    ports = sorted(int(port) for port, _, kind in exposed if kind in ("", "tcp"))
    if not ports:
        text = N_(
            "The image exposes no port: add EXPOSE 8080 to the Dockerfile, or set `port` in"
            " [container] of windlass.toml."
        )
        raise BuildFailed("NO_PORT", text)
    if len(ports) > 1:
        said = ", ".join(map(str, ports))
        log.say(f"The image exposes {said}: the first is taken", "warn")
    return ports[0]
