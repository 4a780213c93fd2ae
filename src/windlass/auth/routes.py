"""JSON: set up, sign in, sign out, who am I, tokens."""

from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody

from windlass.auth import cookies, limiting, service, sessions
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.front import COOKIE
from windlass.auth.permissions import Permission
from windlass.auth.schemas import (
    PasswordChange,
    Setup,
    SignIn,
    TokenCreate,
    TokenOut,
    UserOut,
)
from windlass.core import ids
from windlass.core.http import DB, Envelope, Request
from windlass.core.schemas import Page


@post("/setup", public=True, status_code=200)
async def set_up(request: Request, system_db: SystemDB, data: JSONBody[Setup]) -> Response[UserOut]:
    """Use the one-time link of the first start."""
    actor = await service.set_up(
        system_db,
        request.app.state.settings.folder / "keys",
        token=data.token,
        email=data.email,
        password=data.password,
        name=data.name,
    )
    return Envelope(
        UserOut.of(actor), cookies=[await cookies.open_session(request, system_db, actor)]
    )


@post("/sign-in", public=True, rate="sign_in", status_code=200)
async def sign_in(
    request: Request, system_db: SystemDB, data: JSONBody[SignIn]
) -> Response[UserOut]:
    """Sign in with e-mail and password; the answer sets the session cookie."""
    await limiting.count(request, "sign_in", of=data.email.lower())
    actor = await service.sign_in(system_db, data.email, data.password)
    return Envelope(
        UserOut.of(actor), cookies=[await cookies.open_session(request, system_db, actor)]
    )


@post("/sign-out", permission=Permission.account, status_code=200)
async def sign_out(request: Request, db: DB, actor: CurrentActor) -> Response[None]:
    """End this browser's session."""
    if actor.session_id is not None:
        await sessions.end(db, actor.session_id, by=actor)
    answer: Response[None] = Envelope(None)
    answer.delete_cookie(COOKIE)
    return answer


@get("/me", permission=Permission.account)
async def me(actor: CurrentActor) -> UserOut:
    """Who is signed in."""
    return UserOut.of(actor)


@post("/password", permission=Permission.account, status_code=200)
async def change_password(db: DB, actor: CurrentActor, data: JSONBody[PasswordChange]) -> None:
    """Change the password; every other session ends."""
    await service.change_password(db, actor, current=data.current, new=data.new)


@get("/tokens", permission=Permission.account)
async def list_tokens(db: DB, actor: CurrentActor) -> Page[TokenOut]:
    """One's API tokens, without their secret part."""
    return Page([TokenOut.of(row) for row in await service.tokens(db, actor)])


@post("/tokens", permission=Permission.account)
async def create_token(db: DB, actor: CurrentActor, data: JSONBody[TokenCreate]) -> TokenOut:
    """A new API token. Its secret is in this answer and never again."""
    row, token = await service.create_token(db, data.name, by=actor)
    return TokenOut.of(row, token)


@delete("/tokens/{token_id:str}", permission=Permission.account)
async def revoke_token(db: DB, actor: CurrentActor, token_id: FromPath[str]) -> None:
    """Revoke a token; the next request with it is refused."""
    await service.revoke_token(db, ids.private("tok", token_id), by=actor)


router = Router(
    "/api/auth",
    route_handlers=[
        set_up,
        sign_in,
        sign_out,
        me,
        change_password,
        list_tokens,
        create_token,
        revoke_token,
    ],
    tags=["Accounts"],
)
