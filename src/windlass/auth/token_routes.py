"""JSON: API tokens."""

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.auth import tokens
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.auth.token_schemas import TokenChange, TokenCreate, TokenOut
from windlass.core import ids
from windlass.core.http import DB
from windlass.core.paging import LIMIT
from windlass.core.schemas import CursorText, Limit, Page


@get("/", permission=Permission.account)
async def list_tokens(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[TokenOut]:
    """One's API tokens, the newest first, without their secret part."""
    return await tokens.of(db, actor, limit=limit, cursor=cursor)


@post("/", permission=Permission.account)
async def create_token(db: DB, actor: CurrentActor, data: JSONBody[TokenCreate]) -> TokenOut:
    """A new API token. Its secret is in this answer and never again. Scopes narrow what it may do;
    a token cannot make one that may do more than itself, and it ends with it at the latest."""
    row, token = await tokens.create(db, data, by=actor)
    return TokenOut.of(row, token)


@delete("/current", permission=Permission.account, any_scope=True, suspended_too=True)
async def revoke_own_token(db: DB, actor: CurrentActor) -> None:
    """Revoke the token that this request comes with, whatever its scopes."""
    await tokens.revoke_own(db, by=actor)


@patch("/{token_id:str}", permission=Permission.account)
async def rename_token(
    db: DB, actor: CurrentActor, token_id: FromPath[str], data: JSONBody[TokenChange]
) -> TokenOut:
    """Give a token another name. What it may do cannot be changed: make another one."""
    return TokenOut.of(await tokens.rename(db, ids.private("tok", token_id), data.name, by=actor))


@delete("/{token_id:str}", permission=Permission.account)
async def revoke_token(db: DB, actor: CurrentActor, token_id: FromPath[str]) -> None:
    """Revoke a token; the next request with it is refused."""
    await tokens.revoke(db, ids.private("tok", token_id), by=actor)


router = Router(
    "/api/auth/tokens",
    route_handlers=[list_tokens, create_token, revoke_own_token, rename_token, revoke_token],
    tags=["Accounts"],
)
