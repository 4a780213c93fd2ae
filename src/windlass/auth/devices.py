"""What a browser says of itself, in words that its owner recognises."""

import re

from windlass.core.languages import N_

# The first that fits counts: browsers name those they descend from, too.
_PROGRAMS = (
    (r"windlass/", "Windlass command line"),
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
    (r"curl/", "curl"),
    (r"python", "Python"),
)
_SYSTEMS = (
    (r"iPhone", N_("{program} on iPhone")),
    (r"iPad", N_("{program} on iPad")),
    (r"Android", N_("{program} on Android")),
    (r"Windows", N_("{program} on Windows")),
    (r"Mac OS X|Macintosh", N_("{program} on macOS")),
    (r"CrOS", N_("{program} on ChromeOS")),
    (r"Linux|X11", N_("{program} on Linux")),
)


def describe(user_agent: str) -> str:
    """`Firefox on Linux`; never what the other side wrote, which may be anything."""
    program, system = _first(_PROGRAMS, user_agent), _first(_SYSTEMS, user_agent)
    if program and system:
        return system.format(program=program)
    return program or system.rpartition(" ")[2] or N_("Unknown device")


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for found, name in known if re.search(found, user_agent, re.I)), "")
