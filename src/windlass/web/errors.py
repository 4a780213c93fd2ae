"""Errors where people see them: JSON for the API, a page with a way back for everything else."""

from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Redirect

from windlass.core import http, log
from windlass.core.errors import InternalError, Unauthorized
from windlass.core.http import Request
from windlass.web.page import page


def render_error(request: Request, error: Exception) -> Response[Any]:
    """Any exception of any handler. A page that needs a sign-in leads there and back."""
    path = request.url.path
    if path.startswith("/api/"):
        return http.render_error(request, error)
    known = http.as_app_error(error)
    if isinstance(known, Unauthorized) and request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        return Redirect(f"/sign-in?next={quote(path + query)}", status_code=303)
    if isinstance(known, InternalError):
        log.get().error("http.bug", path=path, exc_info=error)
    return page(
        request,
        "error.html",
        http_status=known.status,
        status=known.status,
        user=getattr(request.state, "actor", None),
        code=known.code,
        message=known.message,
        request_id=log.request_id.get(),
    )
