"""Fixtures: an edge in the test's own event loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.running import Edge


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
async def edge(home: Path) -> AsyncIterator[Edge]:
    edge = Edge(home)
    await edge.start()
    yield edge
    await edge.stop()
