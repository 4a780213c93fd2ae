from collections.abc import AsyncIterator, Iterator

import httpx2
import msgspec
import pytest
from docs import generate
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from tests import make
from tests.conftest import PANEL, RolledBack, client_of
from tests.people import People, gathered
from tests.running import Instance, request
from windlass.auth.deps import handlers_of
from windlass.core.settings import Auth, Limits, Settings

MANY = "100000/60"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Attackers are patient: what a limit would only slow down must come to nothing anyway."""
    names = [field.name for field in msgspec.structs.fields(Limits)]
    many = Limits(**{name: MANY for name in names if "/" in str(getattr(Limits(), name))})
    return msgspec.structs.replace(settings, limits=many, auth=Auth(sign_up="open"))


@pytest.fixture(scope="package")
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real Windlass where everybody may sign up."""
    found = Instance(tmp_path_factory.mktemp("open"), WINDLASS_AUTH__SIGN_UP="open")
    found.start()
    token = (found.home / "keys" / "setup.token").read_text()
    owner = {"token": token, "email": "root@example.com", "password": make.PASSWORD}
    answer = request("POST", f"{found.url}/api/auth/setup", json=owner)
    assert answer.status_code == 200, answer.text
    yield found
    found.stop()


@pytest.fixture
async def people(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    async for found in gathered(app, database):
        yield found


@pytest.fixture
async def browser_of(app: Litestar) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser where nobody is signed in, and whose forms are ours."""
    async with client_of(app) as found:
        found.headers["origin"] = PANEL
        yield found


def routes() -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Method, path and handler of everything that can be asked for."""
    for path, handler in handlers_of(generate.application()):
        for method in sorted(handler.http_methods):
            if method not in {"HEAD", "OPTIONS"}:
                yield method, path, handler


def filled(path: str, id: str = "x") -> str:
    """The path with something in the place of each parameter."""
    parts = [id if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)
