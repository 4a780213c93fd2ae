"""How facts become words: times, sizes, ids and terminal colours, the same on every page."""

import datetime as dt
import re
from urllib.parse import urlsplit

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from windlass.core.languages import gettext, retold

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@pass_context
def ago(context: Context, moment: dt.datetime | None) -> Markup:
    """A relative time that a script keeps true, with the exact one on hover."""
    if moment is None:
        return Markup('<span class="muted">{}</span>').format(gettext("never"))
    words = relative((context["now"] - moment).total_seconds())
    return _time(moment, words, "relative")


def clock(moment: dt.datetime) -> Markup:
    """The exact time, UTC."""
    return _time(moment, f"{moment:%Y-%m-%d %H:%M:%S} UTC", "exact")


def relative(seconds: float) -> str:
    """`3 min ago`; the script `times.ts` says the same words."""
    if seconds < 5:
        return gettext("just now")
    if seconds < _MINUTE:
        return gettext("{n} s ago").format(n=int(seconds))
    if seconds < _HOUR:
        return gettext("{n} min ago").format(n=int(seconds / _MINUTE))
    if seconds < _DAY:
        return gettext("{n} h ago").format(n=int(seconds / _HOUR))
    days = int(seconds / _DAY)
    return gettext("yesterday") if days == 1 else gettext("{n} days ago").format(n=days)


def duration(seconds: float | None) -> str:
    """`0.8 s`, `42 s`, `3 min 07 s`, `1 h 02 min`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return gettext("{n} s").format(n=f"{seconds:.1f}")
    if round(seconds) < _MINUTE:
        return gettext("{n} s").format(n=f"{seconds:.0f}")
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < 60:
        return gettext("{m} min {s} s").format(m=minutes, s=f"{rest:02}")
    hours, minutes = divmod(minutes, 60)
    return gettext("{h} h {m} min").format(h=hours, m=f"{minutes:02}")


def milliseconds(count: float | None) -> str:
    """`0.5 ms`, `12 ms`, `1.2 s`."""
    if count is None:
        return "–"
    if count < 10:
        return gettext("{n} ms").format(n=f"{count:.1f}")
    return gettext("{n} ms").format(n=f"{count:.0f}") if count < 1000 else duration(count / 1000)


def size(count: int | None) -> str:
    """Bytes in steps of 1,024: `512 B`, `4.0 KiB`, `1.2 GiB`."""
    if count is None:
        return "–"
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1023.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"


def number(count: int) -> str:
    """`12,345`"""
    return f"{count:,}"


def host(url: str | None) -> str:
    """The host name (and port) of an address, which is what people read."""
    return urlsplit(url).netloc if url else ""


def short(identifier: str | None, length: int = 8) -> str:
    """The end of a public id (its beginning is a time, alike on a page); the start of a commit."""
    if not identifier:
        return ""
    prefix, underscore, rest = identifier.partition("_")
    if underscore and len(rest) > length:
        return f"{prefix}_…{rest[-length:]}"
    return identifier[:length]


def said(message: str | None) -> str:
    """A sentence that was written in English before it was known who reads it."""
    return retold(message) if message else ""


def plain(message: str) -> Markup:
    """A log line without its terminal codes, which the log view turns into colours."""
    return escape(_ANSI.sub("", message))


def _time(moment: dt.datetime, words: str, kind: str) -> Markup:
    exact = moment.astimezone(dt.UTC)
    return Markup('<time datetime="{}" title="{} UTC" data-time="{}">{}</time>').format(
        f"{exact:%Y-%m-%dT%H:%M:%SZ}", f"{exact:%Y-%m-%d %H:%M:%S}", kind, words
    )
