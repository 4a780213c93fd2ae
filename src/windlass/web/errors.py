"""Errors where people see them: JSON for the API, a page with a way back for everything else."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from litestar import Response
from litestar.response import Redirect

from windlass.core import http, log
from windlass.core.errors import AppError, InternalError, TooManyRequests, Unauthorized
from windlass.core.http import Request
from windlass.core.languages import gettext
from windlass.web.page import local_path, page


def render_error(request: Request, error: Exception) -> Response[Any]:
    """Any exception of any handler. A page that needs a sign-in leads there and back."""
    path = request.url.path
    if path.startswith("/api/"):
        return http.render_error(request, error)
    known = http.as_app_error(error)
    if path.startswith("/git/"):
        return _to_git(known)
    if isinstance(known, Unauthorized):
        return _to_sign_in(request)
    if isinstance(known, InternalError):
        log.get().error("http.bug", path=path, exc_info=error)
    return page(
        request,
        "error.html",
        http_status=known.status,
        status=known.status,
        user=request.scope["state"].get("actor"),
        code=known.code,
        message=_message(known),
        request_id=log.request_id.get(),
    )


def _to_git(error: AppError) -> Response[Any]:
    """Git shows plain text behind `remote: `, and asks for a password after 401."""
    if isinstance(error, InternalError):
        log.get().error("http.bug", exc_info=error)
    headers = {"www-authenticate": 'Basic realm="Windlass"'} if error.status == 401 else {}
    return Response(
        f"{error.message}\n", status_code=error.status, media_type="text/plain", headers=headers
    )


def _message(error: AppError) -> str:
    """People want to know how long; the API has that in the details."""
    seconds = error.facts.get("retryAfterSeconds")
    if isinstance(error, TooManyRequests) and seconds is not None:
        return gettext("Too many tries. Try again in {seconds} seconds.").format(seconds=seconds)
    return error.message


def _to_sign_in(request: Request) -> Response[Any]:
    """There and back. A form that came too late is not sent again; its page is shown instead."""
    headers = request.headers
    is_swap = "HX-Request" in headers and "HX-Boosted" not in headers
    is_form = request.method not in {"GET", "HEAD"}
    if is_form or is_swap:
        back = _page_of(request)
    else:
        query = f"?{request.url.query}" if request.url.query else ""
        back = request.url.path + query
    where = f"/sign-in?next={quote(back)}" + ("&notice=expired" if is_form else "")
    if "HX-Request" in headers:
        # A redirect would be followed by htmx and swapped into the middle of the page.
        return Response(b"", status_code=401, headers={"HX-Redirect": where})
    return Redirect(where, status_code=303)


def _page_of(request: Request) -> str:
    """The page of this panel that sent the request, as the browser says."""
    for name in ("HX-Current-URL", "Referer"):
        parts = urlsplit(request.headers.get(name, ""))
        if parts.netloc and parts.netloc == request.headers.get("host"):
            kept = [pair for pair in parse_qsl(parts.query) if pair[0] != "notice"]
            return local_path(parts.path + (f"?{urlencode(kept)}" if kept else ""))
    return local_path(None)
