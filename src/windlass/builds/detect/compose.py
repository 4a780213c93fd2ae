"""A compose project is refused, with a report of what it holds: nothing of it is run yet."""

from typing import cast

from windlass.builds.detect.source import Source, Table, table, text
from windlass.core.errors import AppError
from windlass.core.languages import N_

FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_MOST_SERVICES, _MOST_LETTERS = 12, 100


def report(source: Source) -> str | None:
    """Each service with its image or folder, ports and volumes, in one sentence."""
    file = source.first(*FILES)
    if file is None:
        return None
    try:
        services = table(source.yaml(file).get("services"))
    except AppError as error:
        return str(error)
    if not services:
        return N_("{file} names no services.").format(file=source.named(file))
    said = [_service(name, table(services[name])) for name in list(services)[:_MOST_SERVICES]]
    more = len(services) - len(said)
    message = (
        N_("{file} holds {number} services: {services}; and {more} more.")
        if more
        else N_("{file} holds {number} services: {services}.")
    )
    return message.format(
        file=source.named(file), number=len(services), services="; ".join(said), more=more
    )


def _service(name: str, service: Table) -> str:
    build = service.get("build")
    folder = text(build) or text(table(build).get("context"))
    image = text(service.get("image"))
    parts = [f"build {folder}" if folder else f"image {image or '–'}"]
    for key in ("ports", "volumes"):
        found = [each for item in _items(service.get(key)) if (each := _short(item))]
        if found:
            parts.append(f"{key} {', '.join(found[:6])}")
    return f"{str(name)[:60]} ({', '.join(part[:_MOST_LETTERS] for part in parts)})"


def _items(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _short(item: object) -> str | None:
    """`8080:80`, or the long form of a port or volume as the short one."""
    if isinstance(item, str | int):
        return str(item)
    given = table(item)
    ends = [given.get(key) for key in ("published", "source", "target")]
    return ":".join(str(end) for end in ends if end) or None
