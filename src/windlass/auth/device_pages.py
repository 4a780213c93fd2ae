"""The page where somebody allows a command line to act for them.

Whoever is sent here by somebody else must notice it: the page says which program asks, from where
and since when, shows the code to compare, and nothing happens without a click.
"""

from litestar import get, post

from windlass.auth import device_codes, limiting
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.auth.token_pages import DAYS, days
from windlass.auth.token_schemas import TokenCreate
from windlass.core.caller import current
from windlass.core.errors import AppError
from windlass.core.http import Request
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct


@get("/device", permission=Permission.account)
async def show_device(request: Request, system_db: SystemDB, actor: CurrentActor) -> Answer:
    return await _device(request, system_db, actor, request.query_params.get("code", ""))


@post("/device", permission=Permission.account)
async def look_for_device(
    request: Request, system_db: SystemDB, actor: CurrentActor, form: Form
) -> Answer:
    """The code was typed: show who asks."""
    return await _device(request, system_db, actor, form.get("code", ""), must_be=True)


@post("/device/allow", permission=Permission.account)
async def allow_device(
    request: Request, system_db: SystemDB, actor: CurrentActor, form: Form
) -> Answer:
    code = form.get("code", "")
    try:
        await _count(request, actor)
        wanted = struct(TokenCreate, {"name": "device", "expires_in_days": days(form)})
        await device_codes.allow(system_db, code, days=wanted.expires_in_days, by=actor)
    except AppError as error:
        await system_db.rollback()
        return _page(request, actor, code, error=error)
    return see("/device", "device-allowed")


@post("/device/refuse", permission=Permission.account)
async def refuse_device(
    request: Request, system_db: SystemDB, actor: CurrentActor, form: Form
) -> Answer:
    code = form.get("code", "")
    try:
        await _count(request, actor)
        await device_codes.refuse(system_db, code, by=actor)
    except AppError as error:
        await system_db.rollback()
        return _page(request, actor, code, error=error)
    return see("/device", "device-refused")


async def _device(
    request: Request, system_db: SystemDB, actor: Actor, code: str, *, must_be: bool = False
) -> Answer:
    if not code.strip() and not must_be:
        return _page(request, actor, "")
    try:
        await _count(request, actor)
        row = await device_codes.find(system_db, code)
    except AppError as error:
        await system_db.rollback()
        return _page(request, actor, code, error=error)
    return page(
        request,
        "auth/device.html",
        user=actor,
        asking=row,
        code=device_codes.shown(row.user_code),
        is_elsewhere=row.address != current().address,
        days=DAYS,
        values={"lasts": "90"},
    )


def _page(request: Request, actor: Actor, code: str, *, error: AppError | None = None) -> Answer:
    """The form for the code, with what is wrong with the last one."""
    return page(
        request,
        "auth/device.html",
        error=error,
        renamed={"form": "code"},
        user=actor,
        asking=None,
        code=code,
        is_elsewhere=False,
        days=DAYS,
        values={"code": code},
    )


async def _count(request: Request, actor: Actor) -> None:
    """Nobody tries codes until one fits."""
    await limiting.count(request, "second_factor", of=f"device:{actor.id}")


HANDLERS = [show_device, look_for_device, allow_device, refuse_device]
