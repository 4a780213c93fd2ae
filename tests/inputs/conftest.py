"""Every test of the inputs gets a store of its own."""

from pathlib import Path

import pytest

from windlass.core.blobs import BlobStore


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
