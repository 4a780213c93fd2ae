"""A container engine for the tests of this folder, which run on one worker."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.containers import engines
from tests.containers.engines import Dockerd, Registry
from tests.edge.running import Edge
from windlass.core.engine import Engine
from windlass.edge.runner import Starter


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    """One for the whole run, with the image BASE in it."""
    if os.geteuid() != 0:
        pytest.skip("dockerd needs root")
    for program, package in (("dockerd", "docker.io"), ("busybox", "busybox-static")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    found = Dockerd()
    found.start()
    if found.is_refused:
        said = found.last_words
        found.stop()
        pytest.skip(f"dockerd does not start on this machine: {said}")
    found.import_image(engines.BASE, engines.base_files())
    yield found
    found.stop()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed: apt-get install docker-registry")
    found = Registry(tmp_path_factory.mktemp("registry"))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One that lets nobody in without a login."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed: apt-get install docker-registry")
    found = Registry(tmp_path_factory.mktemp("private"), is_private=True)
    yield found
    found.stop()


@pytest.fixture
async def engine(dockerd: Dockerd) -> AsyncIterator[Engine]:
    found = Engine(dockerd.address)
    yield found
    await found.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
async def edge(home: Path, dockerd: Dockerd) -> AsyncIterator[Edge]:
    """An edge in the test's own event loop, with the real starter of processes."""
    starter = Starter(home, dockerd.address)
    found = Edge(home, start=starter)
    await found.start()
    yield found
    await found.stop()
    await starter.close()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """As the edge runs."""
    return "asyncio", {"use_uvloop": True}
