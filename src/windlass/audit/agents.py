"""What people call the program that a request came from: a browser by its name, others with the
version that they say.
"""

import re

from windlass.auth import devices

_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9 ._-]{0,39})(?:/(\d[0-9A-Za-z.]{0,15}))?")


def in_words(user_agent: str) -> str | None:
    """`Firefox on Linux`, `Windlass command line 0.2`, `curl 8.5.0`; None when nothing was said."""
    if not user_agent.isprintable() or not user_agent:
        return None
    if user_agent.startswith("Mozilla/"):
        return devices.describe(user_agent)
    if (found := _PRODUCT.match(user_agent)) is None:
        return None
    name = "Windlass command line" if found[1] == "windlass" else found[1].strip()
    return f"{name} {found[2]}" if found[2] else name
