"""What people call the program that a request came from.

Programs say more than is true, and each newer browser claims to be all the older ones: the first
name in these lists that is found is the right one.
"""

import re

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9 ._-]{0,39})(?:/(\d[0-9A-Za-z.]{0,15}))?")


def in_words(user_agent: str) -> str | None:
    """`Firefox on Linux`, `Windlass command line 0.2`, `curl 8.5.0`; None when nothing was said."""
    if not user_agent.isprintable() or not user_agent:
        return None
    if user_agent.startswith("Mozilla/"):
        browser = next((name for mark, name in _BROWSERS if mark + "/" in user_agent), "A browser")
        system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
        return f"{browser} on {system}" if system else browser
    if (found := _PRODUCT.match(user_agent)) is None:
        return None
    name = "Windlass command line" if found[1] == "windlass" else found[1].strip()
    return f"{name} {found[2]}" if found[2] else name
