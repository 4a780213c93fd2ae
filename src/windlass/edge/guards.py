"""The door of previews that ask for a password: a page with a form, and a signed cookie."""

import asyncio
import html
import os
import re
import time
from collections import OrderedDict
from pathlib import Path
from urllib.parse import parse_qs

from windlass.core import guard as guards
from windlass.core.addresses import network_of
from windlass.core.guard import Guard
from windlass.edge import bodies, replies
from windlass.edge.connection import Connection
from windlass.edge.replies import Reply
from windlass.edge.request import Request

UNLOCK = b"/.windlass/unlock"
COOKIE = "windlass_preview"
DAYS = 7
TRIES, TRIES_OF_ALL, SECONDS = 10, 300, 300.0
_BODY_BYTES = 8 * 1024
_REMEMBERED = 10_000
_COOKIE = re.compile(rf"(?:^|;)\s*{COOKIE}=([0-9]{{1,12}}\.[0-9a-f]{{64}})\s*(?=;|$)")
# Within the same host: neither another one (`//`) nor what some take for that (`/\`).
_LOCAL = re.compile(r"/(?![/\\])[!-~]*")
_WORDS = "This preview asks for a password."


class Guards:
    """Reads the guards of projects, and counts who tries."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[str, tuple[tuple[int, int], Guard]] = {}
        self._tries: OrderedDict[str, list[float]] = OrderedDict()
        # Each takes 64 MB for a moment.
        self._slots = asyncio.Semaphore(2)

    def of(self, project: str) -> Guard | None:
        """The guard of a project as it is now. Raises OSError or msgspec.DecodeError: then nobody
        is let in."""
        path = guards.place(self._home, project)
        try:
            found = os.stat(path)
        except FileNotFoundError:
            self._known.pop(project, None)
            return None
        mark = (found.st_ino, found.st_mtime_ns)
        known = self._known.get(project)
        if known is None or known[0] != mark:
            known = self._known[project] = (mark, guards.read(path))
        return known[1]

    async def unlock(
        self,
        request: Request,
        connection: Connection,
        *,
        guard: Guard,
        project: str,
        peer: str,
        marks: bytes,
        is_secure: bool,
    ) -> None:
        """What the form sends: the cookie for the right password, the form again for another."""
        async with asyncio.timeout(connection.patience.upload_seconds):
            body = await bodies.whole(request, connection, most=_BODY_BYTES)
        fields = _fields(body)
        after = fields.get("next", "/")
        after = after if _LOCAL.fullmatch(after) else "/"
        if (wait := self._refused_for(project, peer)) > 0:
            retry = b"Retry-After: %d\r\n" % wait
            text = "Too many tries. Wait a few minutes, then try again."
            connection.send(request, form(request, 429, after, marks + retry, text))
            return
        async with self._slots:
            is_right = await asyncio.to_thread(
                guards.is_password, guard, fields.get("password", "")
            )
        if not is_right:
            text = "This is not the password."
            connection.send(request, form(request, 401, after, marks, text))
            return
        self._tries.pop(f"{project} {network_of(peer)}", None)
        until = int(time.time()) + DAYS * 86400
        value = guards.sign(guard, request.host, until)
        cookie = f"{COOKIE}={value}; Path=/; Max-Age={DAYS * 86400}; HttpOnly; SameSite=Lax"
        lines = f"Set-Cookie: {cookie}{'; Secure' if is_secure else ''}\r\nLocation: {after}\r\n"
        head = marks + b"Cache-Control: no-store\r\n" + lines.encode()
        connection.send(request, replies.empty(303, head))

    def _refused_for(self, project: str, peer: str) -> float:
        """Count a try; the seconds to wait where there were too many of one network, or of all."""
        now = time.monotonic()
        wait = 0.0
        counted = ((f"{project} {network_of(peer)}", TRIES), (project, TRIES_OF_ALL))
        for name, most in counted:
            recent = [moment for moment in self._tries.get(name, ()) if moment > now - SECONDS]
            if len(recent) >= most:
                wait = max(wait, recent[0] + SECONDS - now + 1)
            self._tries[name] = recent
            self._tries.move_to_end(name)
        if wait == 0:
            for name, _ in counted:
                self._tries[name].append(now)
        while len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return wait


def is_let_in(request: Request, guard: Guard) -> bool:
    """Whether the browser shows what it was given on this host for the right password."""
    cookies = request.headers.get(b"cookie", b"").decode("latin-1")
    now = time.time()
    return any(
        guards.is_signed(guard, request.host, found[1], now=now)
        for found in _COOKIE.finditer(cookies[:8192])
    )


def ask(request: Request, marks: bytes) -> Reply:
    """The form, which leads on to what was asked for."""
    after = request.target.decode("latin-1") if request.method in (b"GET", b"HEAD") else "/"
    return form(request, 401, after if _LOCAL.fullmatch(after) else "/", marks, _WORDS)


def form(request: Request, status: int, after: str, marks: bytes, text: str) -> Reply:
    """A page with the form; words alone for who does not read pages."""
    # No scheme that a browser knows: it shows the page and no window of its own.
    lines = marks + b"WWW-Authenticate: Windlass-Preview\r\nReferrer-Policy: same-origin\r\n"
    if not request.wants_html:
        return replies.to(request, status, f"{text} Open it in a browser.", lines)
    return replies.asking(
        status,
        text,
        f'<form method="post" action="{UNLOCK.decode()}">'
        f'<input type="hidden" name="next" value="{html.escape(after)}">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" required autofocus'
        ' autocomplete="current-password" maxlength="200">'
        '<button type="submit">Open the preview</button></form>',
        headers=lines,
        without_body=request.method == b"HEAD",
    )


def _fields(body: bytes) -> dict[str, str]:
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}
