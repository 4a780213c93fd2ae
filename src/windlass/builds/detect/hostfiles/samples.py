"""`.env.example` and its other names: which variables somebody has to set."""

import re

from windlass.builds.detect.hostfiles.report import Reader
from windlass.builds.detect.source import Source
from windlass.builds.errors import ManifestBroken
from windlass.core.languages import N_

_NAMES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,254})\s*=(.*)")
_MOST = 500


def samples(source: Source) -> Reader | None:
    """The values are examples, so only the names are taken, with what stands before them."""
    name = source.first(*_NAMES)
    if name is None:
        return None
    reader = Reader(source.named(name))
    try:
        lines = source.text(name).splitlines()
    except ManifestBroken as error:
        reader.impossible(N_("the file"), str(error.facts.get("reason", error.message)))
        return reader
    seen: set[str] = set()
    said = ""
    for line in lines:
        match = _LINE.match(line.strip())
        if match and match[1] not in seen and len(seen) < _MOST:
            seen.add(match[1])
            reader.variable(match[1], detail=said)
        said = line.strip().lstrip("# ")[:200] if line.lstrip().startswith("#") else ""
    if seen:
        message = (
            N_("1 variable to set; the value is an example and is not taken")
            if len(seen) == 1
            else N_("{number} variables to set; the values are examples and are not taken")
        )
        reader.adapted("names", message.format(number=len(seen)))
    return reader
