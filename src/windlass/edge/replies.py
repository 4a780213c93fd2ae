"""An answer that is ready to be sent, and the small ones the edge makes by itself."""

import base64
import hashlib
import html
import time
from http import HTTPStatus

from windlass.edge.request import Request

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto 0;max-width:34rem;padding:0 1.5rem;"
    "color:#1c2024;background:#fcfcfd}h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0 0 1rem}"
    "small{color:#60646c}@media(prefers-color-scheme:dark){body{color:#edeef0;background:#111113}"
    "small{color:#b0b4ba}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_FORM_STYLE = _STYLE + (
    "label{display:block;font-weight:600;margin:0 0 .25rem}input,button{font:inherit;border-radius:"
    ".375rem;min-height:2.75rem;padding:0 .75rem;box-sizing:border-box;width:100%}input{border:1px "
    "solid #8b8d98;background:inherit;color:inherit;margin:0 0 1rem}button{border:0;background:"
    "#1c2024;color:#fcfcfd;font-weight:600;cursor:pointer}:focus-visible{outline:2px solid #0090ff;"
    "outline-offset:2px}@media(prefers-color-scheme:dark){button{background:#edeef0;color:#111113}}"
)
_FORM_STYLE_HASH = base64.b64encode(hashlib.sha256(_FORM_STYLE.encode()).digest()).decode()
STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Reply:
    """A head without its last lines (Date, Connection, blank) and a body in memory or in a file."""

    __slots__ = ("body", "file", "head", "offset", "size")

    def __init__(
        self, head: bytes, body: bytes = b"", *, file: int = -1, offset: int = 0, size: int = 0
    ) -> None:
        self.head = head
        self.body = body
        self.file = file
        self.offset = offset
        self.size = size


def date_line(now: float) -> bytes:
    """The Date header of a whole second, made without the locale."""
    t = time.gmtime(now)
    return (
        f"Date: {_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT\r\n"
    ).encode()


def page(
    status: int,
    text: str,
    *,
    as_html: bool,
    note: str = "",
    headers: bytes = b"",
    without_body: bool = False,
) -> Reply:
    """An error page in plain words: HTML for a browser, text for everybody else."""
    title = HTTPStatus(status).phrase
    if as_html:
        body = _html(title, text, note).encode()
        kind = (
            b"Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: "
            b"default-src 'none'; style-src 'sha256-" + _STYLE_HASH.encode() + b"'\r\n"
        )
    else:
        body = "".join(f"{line}\n" for line in (text, note) if line).encode()
        kind = b"Content-Type: text/plain; charset=utf-8\r\n"
    head = (
        STATUS_LINES[status]
        + kind
        + b"Content-Length: %d\r\n" % len(body)
        + b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        + headers
    )
    return Reply(head, b"" if without_body else body)


def asking(
    status: int, text: str, form: str, *, headers: bytes = b"", without_body: bool = False
) -> Reply:
    """A page with a form in it, which is HTML already; it is sent to this very host."""
    title = "Password" if status == 401 else HTTPStatus(status).phrase
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_FORM_STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p role="status">{html.escape(text)}</p>{form}</main></body></html>\n'
    ).encode()
    head = (
        STATUS_LINES[status] + b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Security-Policy: default-src 'none'; style-src 'sha256-"
        + _FORM_STYLE_HASH.encode()
        + b"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"
        + b"Content-Length: %d\r\n" % len(body)
        + b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        + headers
    )
    return Reply(head, b"" if without_body else body)


def to(request: Request, status: int, text: str, headers: bytes = b"", *, note: str = "") -> Reply:
    """An error page for this request: what it accepts, and no body for HEAD."""
    return page(
        status,
        text,
        as_html=request.wants_html,
        note=note,
        headers=headers,
        without_body=request.method == b"HEAD",
    )


def empty(status: int, headers: bytes = b"") -> Reply:
    """An answer without content; 204 and 304 carry no length (RFC 9110, 8.6)."""
    length = b"" if status in (204, 304) else b"Content-Length: 0\r\n"
    return Reply(STATUS_LINES[status] + length + headers)


def _html(title: str, text: str, note: str) -> str:
    small = f"<p><small>{html.escape(note)}</small></p>" if note else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f"<p>{html.escape(text)}</p>{small}</main></body></html>\n"
    )
