import pytest

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.folder / "blobs")


@pytest.fixture
async def project(database: RolledBack, owner: Actor) -> Project:
    return await make.project(database, owner, "Shop")


@pytest.fixture
async def source(database: RolledBack, blobs: BlobStore, owner: Actor) -> Source:
    return await make.source(database, blobs, owner)


@pytest.fixture
async def live(database: RolledBack, project: Project, source: Source, owner: Actor) -> Deployment:
    return await make.deployment(
        database, project, source, owner, status=Status.ready, is_active=True
    )
