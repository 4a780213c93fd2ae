from collections.abc import AsyncIterator, Iterator

import httpx2
import msgspec
import pytest
from litestar import Litestar
from tests import make
from tests.auth.providers.browsing import use
from tests.auth.providers.fake import Fake
from tests.auth.providers.issuers import SECRET, Issuer, certified
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth.models import Actor
from windlass.core import clock
from windlass.core.settings import Auth, GitHub, Oidc, Settings


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with certified(f"{PANEL}/sign-in/with/oidc/callback") as found:
        yield found


@pytest.fixture
def fake() -> Iterator[Fake]:
    found = Fake()
    yield found
    found.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings, limits=make.MANY_TRIES, url=PANEL, auth=Auth(sign_up="open")
    )


@pytest.fixture
def oidc(app: Litestar, issuer: Issuer) -> Issuer:
    """The certified issuer, set up."""
    own = Oidc(issuer=issuer.url, client_id="windlass", client_secret=SECRET, label="Harbour")
    use(app, issuer.host, oidc=own)
    return issuer


@pytest.fixture
def liar(app: Litestar, fake: Fake) -> Fake:
    """An issuer that says whatever a test wants."""
    use(app, fake.host, oidc=Oidc(issuer=fake.url, client_id="windlass", client_secret="s"))
    return fake


@pytest.fixture
def github(app: Litestar, fake: Fake) -> Fake:
    own = GitHub(client_id="Iv1", client_secret="gh-secret", url=fake.url, api_url=fake.url)
    use(app, fake.host, github=own)
    fake.addresses = [
        {"email": "old@example.com", "primary": False, "verified": True},
        {"email": "Ada@Example.com", "primary": True, "verified": True},
    ]
    return fake


@pytest.fixture
async def owner(database: RolledBack) -> Actor:
    return await make.user(database, email="owner@example.com", email_verified_at=clock.now())


@pytest.fixture
async def browser_(app: Litestar, owner: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app) as found:
        found.headers["origin"] = PANEL
        yield found
