"""The door of `git push`, in front of Git itself (its whole way: tests/e2e/test_git_push.py)."""

import gzip

import httpx2
import pytest
from litestar import Litestar

from tests import make
from tests.conftest import RolledBack, client_of
from windlass.adapters.git_protocol import FLUSH, NOTHING, line
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission

pytestmark = pytest.mark.anyio
PLACE = "/git/shop.git/git-receive-pack"
REMOVE = line(f"{'a' * 40} {NOTHING} refs/heads/old\0report-status side-band-64k\n") + FLUSH
GZIP = {"content-encoding": "gzip"}


@pytest.fixture(autouse=True)
async def project(database: RolledBack, owner: Actor) -> None:
    await make.project(database, owner, "Shop")


async def test_what_a_client_presses_is_read_as_well(client: httpx2.AsyncClient) -> None:
    plain = await client.post(PLACE, content=REMOVE)
    pressed = await client.post(PLACE, content=gzip.compress(REMOVE), headers=GZIP)

    assert b"ok refs/heads/old" in plain.content
    assert (pressed.status_code, pressed.content) == (200, plain.content)


@pytest.mark.parametrize(
    "body", [REMOVE, gzip.compress(REMOVE)[:-9]], ids=["not pressed", "cut off"]
)
async def test_what_is_pressed_badly_is_refused(client: httpx2.AsyncClient, body: bytes) -> None:
    assert (await client.post(PLACE, content=body, headers=GZIP)).status_code == 400


async def test_a_token_that_may_only_deploy_removes_nothing(
    app: Litestar, database: RolledBack, owner: Actor
) -> None:
    token = await make.token(database, owner, scopes=(Permission.deploy_create,))
    async with client_of(app, token) as narrow:
        answer = await narrow.post(PLACE, content=REMOVE)

    assert b"ng refs/heads/old" in answer.content
    assert b"deploy:cancel" in answer.content
