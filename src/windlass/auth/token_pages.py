"""The page of one's API tokens."""

from collections.abc import Mapping

from litestar import get, post
from litestar.params import FromPath

from windlass.auth import tokens
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.auth.token_schemas import TokenChange, TokenCreate, TokenOut
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.languages import gettext
from windlass.web import forms
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

DAYS = (30, 60, 90, 365)
_USUAL = "90"


@get("/account/tokens", permission=Permission.account)
async def show_tokens(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _tokens(request, db, actor)


@post("/account/tokens", permission=Permission.account)
async def create_token(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """The answer is the page itself: the token is shown this once and kept nowhere."""
    try:
        wanted = struct(
            TokenCreate,
            {
                "name": forms.text(form, "token_name"),
                "scopes": _ticked(form) or None,
                "expires_in_days": days(form),
            },
            words={"expires_in_days": gettext("Use a number of days from 1 to 3650")},
        )
        row, token = await tokens.create(db, wanted, by=actor)
    except AppError as error:
        await db.rollback()
        return await _tokens(request, db, actor, form=form, error=error)
    return await _tokens(request, db, actor, made=TokenOut.of(row, token))


@post("/account/tokens/{token_id:str}/rename", permission=Permission.account)
async def rename_token(db: DB, actor: CurrentActor, token_id: FromPath[str], form: Form) -> Answer:
    wanted = struct(TokenChange, {"name": forms.text(form, "name")})
    await tokens.rename(db, ids.private("tok", token_id), wanted.name, by=actor)
    return see("/account/tokens", "saved")


@post("/account/tokens/{token_id:str}/revoke", permission=Permission.account)
async def revoke_token(db: DB, actor: CurrentActor, token_id: FromPath[str]) -> Answer:
    await tokens.revoke(db, ids.private("tok", token_id), by=actor)
    return see("/account/tokens", "revoked")


def days(form: Mapping[str, str]) -> object:
    """How long something shall live: a number of days, None for without an end."""
    chosen = form.get("lasts", _USUAL)
    if chosen == "other":
        chosen = form.get("days", "").strip() or "0"
    if chosen == "never":
        return None
    return int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 6 else chosen


def _ticked(form: Mapping[str, str]) -> list[str]:
    return [name[6:] for name in form if name.startswith("scope.") and forms.checked(form, name)]


async def _tokens(
    request: Request,
    db: DB,
    actor: Actor,
    *,
    made: TokenOut | None = None,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    found = await tokens.of(db, actor, cursor=request.query_params.get("cursor"))
    return page(
        request,
        "auth/account/tokens.html",
        error=error,
        renamed={"name": "token_name", "expires_in_days": "days"},
        user=actor,
        tokens=found.items,
        cursor=found.cursor,
        new_token=made.token if made else None,
        new_token_name=made.name if made else None,
        scopes=tokens.scopes_for(actor),
        days=DAYS,
        values={"lasts": _USUAL} | forms.values(form or {}),
    )


HANDLERS = [show_tokens, create_token, rename_token, revoke_token]
