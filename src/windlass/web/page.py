"""One template serves a full page and an htmx swap: htmx asks for the `content` block only."""

from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import urlencode, urlsplit

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from jinja2.runtime import Context
from litestar import Response

from windlass.core import clock, languages
from windlass.core.errors import AppError
from windlass.core.languages import N_
from windlass.web import filters, forms
from windlass.web.static_files import asset

AREAS = (
    "auth",
    "teams",
    "projects",
    "deployments",
    "audit",
    "admin",
    "previews",
    "webhooks",
    "clusters",
    "builder",
    "releases",
)
FILTERS = (
    "ago",
    "clock",
    "duration",
    "host",
    "milliseconds",
    "number",
    "plain",
    "said",
    "short",
    "size",
)
THEMES = ("system", "light", "dark")
THEME_COOKIE = "windlass_theme"
# What pages have besides the headers that every answer has (core.headers.SECURITY_HEADERS).
HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request, Accept-Language, Cookie"}


_SHOWN = {401, 409, 422, 429}
_SAME: Mapping[str, str] = {}
# Where a page stands that nobody asked for over HTTP.
_PLACE = {"visited": "/", "prefix": ""}


class Notice(msgspec.Struct, frozen=True):
    """What the last form did, and whether that is what was wanted."""

    message: str
    is_good: bool = True

    @property
    def text(self) -> str:
        return languages.gettext(self.message)


# As `?notice=saved` after a form's redirect. Only these words ever appear.
_DONE = {
    "saved": N_("Saved."),
    "created": N_("Created."),
    "deleted": N_("Deleted."),
    "device-allowed": N_("Allowed. The terminal goes on by itself."),
    "device-refused": N_("Refused. The terminal is told."),
    "revoked": N_("Revoked. Programs that used the token are signed out now."),
    "password": N_("Password changed. Other sessions are signed out."),
    "variables": N_("Saved. The next deployment uses the new values."),
    "promoted": N_("Promotion started."),
    "rolled-back": N_("Rollback started."),
    "cancelled": N_("Cancelling. It ends when the last process is gone."),
    "signed-out": N_("You are signed out."),
    "new-email": N_("Saved. A link was sent to the new address; it counts when you open it."),
    "confirmation": N_("A link was sent to your address."),
    "confirmed": N_("Your address is confirmed."),
    "reset": N_("The password is changed. Sign in with the new one."),
    "session": N_("That session is signed out."),
    "sessions": N_("Every other session is signed out."),
    "account-deleted": N_("The account is deleted."),
    "shared": N_("Shared. The members of the team see the project now."),
    "unshared": N_("No longer shared. The members of the team see nothing of it any more."),
    "transferred": N_("The project has a new owner."),
    "added": N_("Added. They see what the team sees from now on."),
    "invited": N_("Invited. A mail with a link is on its way; it counts for seven days."),
    "removed": N_("Removed. They see nothing of the team any more."),
    "handed-over": N_("Handed over. You are an admin of the team now."),
    "left": N_("You left the team."),
    "withdrawn": N_("Withdrawn. The link leads nowhere now."),
    "joined": N_("Welcome to the team."),
    "declined": N_("Declined. Nothing changed for you."),
    "suspended": N_("Suspended. They are signed out."),
    "lifted": N_("The suspension is lifted."),
    "signed-out-everywhere": N_("They are signed out everywhere."),
    "linked": N_("Linked. You can sign in with it from now on."),
    "unlinked": N_("Unlinked. It opens this account no more."),
    "totp-on": N_("The authenticator app is asked for from now on. Your old codes stay."),
    "totp-off": N_("The authenticator app is off."),
    "passkey-added": N_("The passkey is ready. You can sign in with it from now on."),
    "approved": N_("Approved. The commit is built, without the secrets of the project."),
    "preview-removed": N_("The preview is removed."),
    "cluster-added": N_("Added. It is being tried."),
    "cluster-removed": N_("Forgotten, with what opened it. Nothing in the cluster has changed."),
    "credential": N_("Replaced. It is being tried; what runs there notices nothing."),
    "git-ended": N_("Disconnected. Pushes start nothing any more."),
    "passkey-removed": N_("The passkey opens nothing any more."),
}
_EXPIRED = N_("Your session had ended, so nothing was saved. Sign in and send the form again.")
_SECOND_OVER = N_("That took too long, or was tried too often. Sign in again.")
NOTICES = {
    **{name: Notice(text) for name, text in _DONE.items()},
    "expired": Notice(_EXPIRED, is_good=False),
    "second-over": Notice(_SECOND_OVER, is_good=False),
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

    @property
    def scope(self) -> Any: ...


def page(
    request: Asked,
    template: str,
    *,
    user: object = None,
    error: AppError | None = None,
    renamed: Mapping[str, str] = _SAME,
    http_status: int | None = None,
    **context: object,
) -> Response[str]:
    """Answer with a page, or with its `content` block when htmx asks.

    `user` is the signed-in user (with `name` and `email`) or None; each template says at its top
    which further context it takes. A missing name is an error, never an empty place. `error` is
    what was wrong with the form that the page shows again: its messages are the `errors` by field,
    under the names that the form has for them (`renamed`).
    """
    found = forms.errors(error) if error else {}
    errors = {renamed.get(name, name): message for name, message in found.items()}
    body = render(
        template,
        fragment=_is_fragment(request),
        path=request.url.path,
        visited=_visited(request),
        prefix=request.scope["state"].get("prefix", ""),
        theme=theme_of(request),
        user=user,
        now=clock.now(),
        notice=NOTICES.get(request.query_params.get("notice", "")),
        **{"errors": errors, **context},
    )
    headers = {**HEADERS, "Content-Language": languages.current()}
    status = http_status or (_status_of(error) if error else 200)
    return Response(body, status_code=status, media_type="text/html", headers=headers)


def _status_of(error: AppError) -> int:
    """The status of a form that is shown again: scripts take 409 and 422 as pages."""
    return error.status if error.status in _SHOWN else 422


def render(template: str, *, fragment: bool = False, **context: object) -> str:
    """The text of a template; `fragment` leaves the frame away."""
    found = ENV.get_template(template)
    context = {**_PLACE, "language": languages.current(), **context}
    if not fragment or "content" not in found.blocks:
        return found.render(context)
    inner: Context = found.new_context(context)
    return "".join(found.blocks["content"](inner))


def _visited(request: Asked) -> str:
    """The path and what was asked, without the word about the form before."""
    asked = [(name, value) for name, value in request.query_params.items() if name != "notice"]
    return request.url.path + (f"?{urlencode(asked)}" if asked else "")


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
        extensions=["jinja2.ext.i18n"],
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
    shared["languages"] = languages.LANGUAGES
    shared["words"] = languages.of_scripts
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    environment.policies["ext.i18n.trimmed"] = True
    # Messages in templates are our own HTML; what is filled in is escaped.
    cast("Any", environment).install_gettext_callables(
        languages.gettext, languages.ngettext, newstyle=True
    )
    # A global, because htmx gets a block alone and a block does not see its file's imports.
    shared["ui"] = environment.get_template("_ui.html").module
    return environment


ENV = _environment()
