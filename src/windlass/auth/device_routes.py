"""JSON: the way of a command line into an account."""

from typing import Annotated

from litestar import Router, post
from litestar.params import JSONBody
from msgspec import Meta

from windlass.auth import device_codes
from windlass.auth.deps import SystemDB
from windlass.auth.token_schemas import Name, TokenOut
from windlass.core.http import Request
from windlass.core.schemas import In, Out


class DeviceAsk(In):
    """`client` names the program and its machine: the person who allows it reads it, and the token
    is called so."""

    client: Name


class DeviceCodeOut(Out):
    """Show `user_code` and `verification_uri`; ask for the token with `device_code` every
    `interval` seconds, until `expires_in` seconds are over (RFC 8628)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceCollect(In):
    device_code: Annotated[str, Meta(max_length=200)]


@post("/", public=True, rate="sign_in")
async def ask_device_code(
    request: Request, system_db: SystemDB, data: JSONBody[DeviceAsk]
) -> DeviceCodeOut:
    """Begin to sign in a program that has no browser of its own: somebody who is signed in types
    the short code on the page and allows it."""
    begun = await device_codes.begin(system_db, data.client.strip())
    uri = f"{request.app.state.settings.panel_url}/device"
    code = device_codes.shown(begun.user_code)
    return DeviceCodeOut(
        device_code=begun.device_code,
        user_code=code,
        verification_uri=uri,
        verification_uri_complete=f"{uri}?code={code}",
        expires_in=device_codes.MINUTES * 60,
        interval=device_codes.INTERVAL_SECONDS,
    )


@post("/token", public=True, rate="read")
async def collect_device_token(request: Request, data: JSONBody[DeviceCollect]) -> TokenOut:
    """The API token, once somebody allowed it, and only once. Until then 400 with the reason
    `AUTHORIZATION_PENDING`, `SLOW_DOWN`, `ACCESS_DENIED` or `EXPIRED_TOKEN`."""
    row, token = await device_codes.collect(request.app.state.system, data.device_code)
    return TokenOut.of(row, token)


router = Router(
    "/api/auth/device",
    route_handlers=[ask_device_code, collect_device_token],
    tags=["Accounts"],
)
