"""One template serves a full page and an htmx swap: htmx asks for the `content` block only."""

from collections.abc import Mapping
from typing import Protocol, cast
from urllib.parse import urlsplit

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from jinja2.runtime import Context
from litestar import Response

from windlass.core import clock
from windlass.web import filters
from windlass.web.static_files import asset

AREAS = ("auth", "teams", "projects", "deployments")
FILTERS = ("ago", "clock", "duration", "host", "number", "plain", "short", "size")
THEMES = ("system", "light", "dark")
THEME_COOKIE = "windlass_theme"
# What pages have besides the headers that every answer has (core.headers.SECURITY_HEADERS).
HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request"}


class Notice(msgspec.Struct, frozen=True):
    """What the last form did, and whether that is what was wanted."""

    text: str
    is_good: bool = True


# As `?notice=saved` after a form's redirect. Only these words ever appear.
_DONE = {
    "saved": "Saved.",
    "created": "Created.",
    "deleted": "Deleted.",
    "revoked": "Revoked. Programs that used the token are signed out now.",
    "password": "Password changed. Other sessions are signed out.",
    "variables": "Saved. The next deployment uses the new values.",
    "promoted": "Promotion started.",
    "rolled-back": "Rollback started.",
    "cancelled": "Cancelling. It ends when the last process is gone.",
    "signed-out": "You are signed out.",
    "new-email": "Saved. A link was sent to the new address; it counts when you open it.",
    "confirmation": "A link was sent to your address.",
    "confirmed": "Your address is confirmed.",
    "reset": "The password is changed. Sign in with the new one.",
    "session": "That session is signed out.",
    "sessions": "Every other session is signed out.",
    "account-deleted": "The account is deleted.",
    "shared": "Shared. The members of the team see the project now.",
    "unshared": "No longer shared. The members of the team see nothing of it any more.",
    "transferred": "The project has a new owner.",
    "added": "Added. They see what the team sees from now on.",
    "invited": "Invited. A mail with a link is on its way; it counts for seven days.",
    "removed": "Removed. They see nothing of the team any more.",
    "left": "You left the team.",
    "withdrawn": "Withdrawn. The link leads nowhere now.",
    "joined": "Welcome to the team.",
    "declined": "Declined. Nothing changed for you.",
}
_EXPIRED = "Your session had ended, so nothing was saved. Sign in and send the form again."
NOTICES = {
    **{name: Notice(text) for name, text in _DONE.items()},
    "expired": Notice(_EXPIRED, is_good=False),
}


class Url(Protocol):
    @property
    def path(self) -> str: ...


class Asked(Protocol):
    """What a page needs of the request; Litestar's own fits."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def cookies(self) -> Mapping[str, str]: ...

    @property
    def query_params(self) -> Mapping[str, str]: ...

    @property
    def url(self) -> Url: ...


def page(
    request: Asked, template: str, *, http_status: int = 200, user: object = None, **context: object
) -> Response[str]:
    """Answer with a page, or with its `content` block when htmx asks.

    `user` is the signed-in user (with `name` and `email`) or None; each template says at its top
    which further context it takes. A missing name is an error, never an empty place.
    """
    body = render(
        template,
        fragment=_is_fragment(request),
        path=request.url.path,
        theme=theme_of(request),
        user=user,
        now=clock.now(),
        notice=NOTICES.get(request.query_params.get("notice", "")),
        **context,
    )
    return Response(body, status_code=http_status, media_type="text/html", headers=HEADERS)


def render(template: str, *, fragment: bool = False, **context: object) -> str:
    """The text of a template; `fragment` leaves the frame away."""
    found = ENV.get_template(template)
    if not fragment or "content" not in found.blocks:
        return found.render(context)
    inner: Context = found.new_context(context)
    return "".join(found.blocks["content"](inner))


def theme_of(request: Asked) -> str:
    """The theme this browser chose; `system` follows the operating system."""
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def local_path(target: str | None, default: str = "/projects") -> str:
    """Where to go after a form: a path of this panel and nothing else, so no open redirect."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc and target.isprintable() else default


def _is_fragment(request: Asked) -> bool:
    """A restored page of the history is asked for by htmx too, and must be whole."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def _environment() -> Environment:
    areas = {area: PackageLoader(f"windlass.{area}") for area in AREAS}
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=ChoiceLoader([PackageLoader("windlass.web"), PrefixLoader(areas)]),
    )
    # Jinja's stubs know only its own filters and globals.
    known = cast("dict[str, object]", environment.filters)
    known.update({name: getattr(filters, name) for name in FILTERS})
    shared = cast("dict[str, object]", environment.globals)
    shared["asset"] = asset
    # A global, because htmx gets a block alone and a block does not see its file's imports.
    shared["ui"] = environment.get_template("_ui.html").module
    return environment


ENV = _environment()
