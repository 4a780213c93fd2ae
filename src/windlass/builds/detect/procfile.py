"""A Procfile: `web` is started, `release` runs before the switch, others run beside `web`."""

import re

import msgspec

from windlass.builds.detect.source import Source
from windlass.builds.errors import ManifestBroken
from windlass.core.languages import N_

_LINE = re.compile(r"([A-Za-z0-9_-]{1,63}):\s*(.*\S)\s*", re.ASCII)


class Procfile(msgspec.Struct, frozen=True):
    web: str | None = None
    release: str | None = None
    others: dict[str, str] = {}


def procfile(source: Source) -> Procfile | None:
    """Every line is `name: command`, empty or a comment; else an error names the line."""
    if not source.has("Procfile"):
        return None
    found: dict[str, str] = {}
    for number, line in enumerate(source.text("Procfile").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            reason = N_("line {number} is not `name: command`").format(number=number)
            raise ManifestBroken(file=source.named("Procfile"), reason=reason)
        if match[1] in found:
            reason = N_("line {number} names `{name}` a second time").format(
                number=number, name=match[1]
            )
            raise ManifestBroken(file=source.named("Procfile"), reason=reason)
        found[match[1]] = match[2]
    web, release = found.pop("web", None), found.pop("release", None)
    return Procfile(web, release, found)
