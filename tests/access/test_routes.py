"""Every route is called by everybody, for an object of one's own and for one of another tenant.

What must come of it follows from the golden table `tests/arch/access.txt` and from the roles, not
from the application: a route that is not in the table, or has a parameter that the two tenants
have no object for, fails here. Bodies are the examples of the OpenAPI document, so that nobody is
refused for a reason that has nothing to do with who they are.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from litestar import Litestar

from tests.access import world
from tests.access.world import Caller, Tenant
from tests.asking import ask
from tests.conftest import RolledBack
from windlass.auth.deps import handlers_of
from windlass.auth.permissions import ADMIN_ONLY, GRANTS, Permission
from windlass.core import ids, openapi
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
_TABLE = Path(__file__).parents[1] / "arch" / "access.txt"
_PARAMETER = re.compile(r"\{(\w+)\}")
# How somebody who is suspended still gets out.
_SUSPENDED_TOO = {
    ("POST", "/sign-out"),
    ("POST", "/api/auth/sign-out"),
    ("POST", "/api/auth/logout"),
    ("DELETE", "/api/auth/account"),
    ("DELETE", "/api/auth/tokens/current"),
}
_OF_ONE_ACCOUNT = {"session_id", "token_id", "passkey_id", "account_id"}
_ACCOUNT = {*_OF_ONE_ACCOUNT, "source_id", "invitation"}
_OF_ACCOUNT = """
with who as (select user_id as id from sessions where id = $1)
select s::text as row from sessions s, who where s.user_id = who.id
union all select t::text from tokens t, who where t.user_id = who.id
union all select p::text from passkeys p, who where p.user_id = who.id
union all select a::text from accounts a, who where a.user_id = who.id
"""
# What a token may say and end of itself, however narrow it is.
_OF_THE_TOKEN = {("GET", "/api/auth/me"), ("DELETE", "/api/auth/tokens/current")}
# Where somebody who may is stopped after all, by what is asked for and not by who asks.
_STOPPED = {
    # No such provider is set up.
    "/sign-in/with/{provider}": {"hidden"},
    "/account/link/{provider}": {"hidden"},
    # Sign-up is by invitation.
    "/sign-up": {"refused"},
    "/api/auth/sign-up": {"refused"},
    # The example is no passkey.
    "/api/auth/passkeys": {"sign in"},
    "/api/auth/passkeys/sign-in": {"sign in"},
    "/sign-in/passkey": {"sign in"},
    # Nothing was begun.
    "/sign-in/second": {"sign in"},
    "/sign-in/second/passkey": {"sign in"},
    # The list again, which says that there is no such passkey or account.
    "/account/linked/{account_id}/unlink": {"through"},
    "/account/passkeys/{passkey_id}/remove": {"through"},
    "/account/passkeys/{passkey_id}/second": {"through"},
    "/account/passkeys/{passkey_id}/rename": {"through"},
    # Its inventory is empty.
    "/api/releases/{release_id}/resources/{kind}/{name}": {"hidden"},
    # It was never switched to.
    "/api/deployments/{deployment_id}/receipt": {"hidden"},
    # The form names no upload.
    "/projects/new": {"hidden"},
    # Only who is in a team can share with it; only a project's owner gives it away, to somebody
    # of a team.
    "/api/projects/{project_id}/teams": {"hidden"},
    "/api/projects/{project_id}/transfer": {"refused", "hidden"},
    # Nobody was sent such a link.
    "/invitations/{token}": {"hidden"},
    "/sign-out": {"sign in"},
}
# What they make belongs to a project or a cluster that the body names.
_MADE_IN_ONE = {
    ("POST", "/api/deployments"),
    ("POST", "/api/releases"),
    ("POST", "/api/releases/plan"),
}
# They ask the cluster, and nobody answers at its address.
_ASKS_A_CLUSTER = {"/api/releases/{release_id}/plan", "/api/releases/plan"}
# An address that only leads on; what is there is asked for its own permission.
_LEADS_ON = "/api/deployments/{deployment_id}/stream"


class Route(msgspec.Struct, frozen=True):
    """A line of the table."""

    method: str
    path: str
    permission: Permission | None

    @property
    def names(self) -> set[str]:
        return set(_PARAMETER.findall(self.path))


class Seen(msgspec.Struct, frozen=True):
    status: int
    location: str
    text: str

    @property
    def came_to(self) -> str:
        if self.status == 401 or self.location.startswith("/sign-in?"):
            return "sign in"
        return {403: "refused", 404: "hidden"}.get(self.status, "through")


def routes() -> list[Route]:
    """The golden table."""
    lines = [line.split() for line in _TABLE.read_text().splitlines()]
    return [Route(m, p, None if name == "-" else Permission(name)) for m, p, name, *_ in lines]


def expected(route: Route, caller: Caller, *, is_foreign: bool) -> str:
    """What the rules of the documents say (C-050 to C-058, D-23, D-33)."""
    permission = route.permission
    if permission is None:
        return "through"
    if caller.actor is None:
        return "sign in"
    if caller.is_suspended and (route.method, route.path) not in _SUSPENDED_TOO:
        return "refused"
    is_narrow = caller.scopes is not None and permission not in caller.scopes
    if is_narrow and (route.method, route.path) not in _OF_THE_TOKEN:
        return "refused"
    if permission in ADMIN_ONLY:
        return "through" if caller.is_admin else "refused"
    return _on_object(route, caller, permission, is_foreign=is_foreign)


def _on_object(route: Route, caller: Caller, permission: Permission, *, is_foreign: bool) -> str:
    if not (kind := object_of(route)):
        return "through"
    if kind == "account":
        return "through" if caller.has_account_objects and not is_foreign else "hidden"
    role = caller.on_project if kind == "project" else caller.on_team
    if role is None or is_foreign:
        return "hidden"
    return "through" if permission in GRANTS[role] else "refused"


def object_of(route: Route) -> str:
    """What a route acts on: a project, a team, an account, or nothing in particular."""
    names = route.names
    if route.path == _LEADS_ON:
        return ""
    if route.path.startswith("/teams/{slug}"):
        return "team"
    if (route.method, route.path) in _MADE_IN_ONE:
        return "project"
    # A cluster is its owner's and its team's, as a project is.
    if (
        names & {"project_id", "deployment_id", "repository", "cluster_id", "release_id"}
        or "/projects/{slug}" in route.path
    ):
        return "project"
    if route.path.endswith("/by-slug/{slug}"):
        return "project"
    if names & {"team_id", "slug"}:
        return "team"
    return "account" if names & _ACCOUNT else ""


@pytest.fixture
async def place(
    app: Litestar, database: RolledBack, settings: Settings, key_ring: KeyRing
) -> "Place":
    blobs = BlobStore(settings.folder / "blobs")
    near = await world.team(database, "near")
    far = await world.team(database, "far")
    owner = await world.person(database, "project owner")
    foreigner = await world.person(database, "foreigner")
    own = await world.tenant(database, blobs, key_ring, owner, near)
    other = await world.tenant(database, blobs, key_ring, foreigner, far)
    signing = app.state.identities.signing
    return Place(app, database, await world.callers(database, signing, owner, near), own, other)


class Place:
    """Calls the application in process; after each call everything is as it was."""

    def __init__(
        self,
        app: Litestar,
        database: RolledBack,
        callers: list[Caller],
        own: Tenant,
        other: Tenant,
    ) -> None:
        self.app, self.database, self.callers = app, database, callers
        self.own, self.other = own, other
        self._document = openapi.document(app)

    async def call(self, route: Route, caller: Caller, tenant: Tenant) -> Seen:
        await self.database.execute("savepoint cell")
        try:
            return await self.send(route, caller, tenant)
        finally:
            await self.database.execute("rollback to savepoint cell; release savepoint cell")
            if route.method != "GET":
                self.app.state.identities.forget()
            self.app.state.limiter.reset()

    async def send(self, route: Route, caller: Caller, tenant: Tenant) -> Seen:
        body, kind = self._body(route, tenant)
        headers = [(b"content-type", kind)]
        headers.append((b"content-length", str(len(body)).encode()))
        # A token is no sign-in of the last ten minutes, whoever's passkey or identity it is.
        is_proved = route.names & _OF_ONE_ACCOUNT
        if carried := (caller.session if is_proved else "") or caller.token:
            headers.append((b"authorization", f"Bearer {carried}".encode()))
        path = _PARAMETER.sub(lambda found: _value(route, found[1], tenant), route.path)
        found = await ask(self.app, route.method, path, headers=headers, body=body)
        return Seen(found.status, found.location, found.text)

    def _body(self, route: Route, tenant: Tenant) -> tuple[bytes, bytes]:
        described = self._document["paths"].get(route.path, {}).get(route.method.lower(), {})
        content = described.get("requestBody", {}).get("content", {})
        if found := content.get("application/json"):
            return msgspec.json.encode(_own(found["example"], tenant.body)), b"application/json"
        if content:
            return b"", b"application/octet-stream"
        return urlencode({"name": "Another name"}).encode(), b"application/x-www-form-urlencoded"


def _value(route: Route, name: str, tenant: Tenant) -> str:
    if route.path.startswith(("/api/auth/invitations/", "/admin/invitations/")):
        name = "sign_up_invitation"
    if route.path.startswith("/teams/") and name == "slug":
        name = "team_slug"
    fixed = {"provider": "github", "sha256": "0" * 64, "rule": "privileged"}
    return {**fixed, **tenant.path}[name]


def _own(example: Any, ids: Mapping[str, str]) -> Any:
    """The example with the tenant's own objects in it."""
    if isinstance(example, dict):
        found: dict[str, Any] = example
        return {key: ids.get(key) or _own(value, ids) for key, value in found.items()}
    return example


async def test_the_table_holds_every_route(app: Litestar) -> None:
    served = {(str(m), p) for p, found in handlers_of(app) for m in found.http_methods}

    assert {(route.method, route.path) for route in routes()} == served


async def test_everybody_gets_what_the_table_says_and_nothing_else(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    for route in routes():
        for tenant in (place.own, place.other):
            is_foreign = tenant is place.other
            if is_foreign and not object_of(route):
                continue
            for caller in place.callers:
                seen = await place.call(route, caller, tenant)
                wanted = expected(route, caller, is_foreign=is_foreign)
                counts[wanted] += 1
                where = "another's " if is_foreign else ""
                if not _is_right(route, seen, wanted):
                    wrong.append(
                        f"{route.method} {where}{route.path} by {caller.name}:"
                        f" {seen.status}, not {wanted} {seen.text[:120]}"
                    )
                if wanted == "hidden" and tenant.secret in seen.text:
                    wrong.append(f"{route.method} {where}{route.path} tells {caller.name} a name")
    with capsys.disabled():
        print(
            f"\naccess: {len(routes())} routes x {len(place.callers)} callers,"
            f" {counts.total()} calls: {dict(counts)}"
        )
    assert wrong == []


def _is_right(route: Route, seen: Seen, wanted: str) -> bool:
    if seen.status >= 500:
        return seen.status == 502 and wanted == "through" and route.path in _ASKS_A_CLUSTER
    is_stopped = wanted in {"through", "hidden"} and seen.came_to in _STOPPED.get(route.path, ())
    return seen.came_to == wanted or is_stopped


async def test_what_is_somebody_elses_stays_as_it_was(place: Place) -> None:
    """Whoever signed in just now changes and ends nothing of another account."""
    owner = next(caller for caller in place.callers if caller.name == "project owner")
    before = await _of_accounts(place)
    assert len(before) == 4
    asked: list[str] = []
    for route in routes():
        if route.method != "GET" and route.names & _OF_ONE_ACCOUNT:
            seen = await place.send(route, owner, place.other)
            asked.append(f"{route.method} {route.path}: {seen.status}")
            place.app.state.limiter.reset()

    assert len(asked) >= 12
    assert [line for line in asked if not line.endswith(": 404")] == []
    assert await _of_accounts(place) == before


async def _of_accounts(place: Place) -> list[str]:
    """Each row of the other tenant's account that a path can name."""
    session = ids.private("sess", place.other.path["session_id"])
    return [str(row["row"]) for row in await place.database.fetch(_OF_ACCOUNT, session)]


async def test_no_list_shows_what_is_another_tenants(place: Place) -> None:
    """Of whoever asks: lists hold what is one's own or a team's (C-056)."""
    told: list[str] = []
    for route in routes():
        if route.method == "GET" and not route.names and route.permission not in ADMIN_ONLY:
            for caller in place.callers:
                seen = await place.call(route, caller, place.own)
                if place.other.secret in seen.text:
                    told.append(f"{route.path} to {caller.name}")

    assert told == []
