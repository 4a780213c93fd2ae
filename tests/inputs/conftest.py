"""Every test of the inputs gets a store of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.adapters.archive import unpack
from windlass.core.blobs import BlobStore
from windlass.core.manifest import Manifest, TreeLimits

Unpacked = Callable[..., Manifest]


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def unpacked(store: BlobStore, tmp_path: Path) -> Unpacked:
    """Unpacks an upload; whatever becomes of it, nothing half-written stays."""

    def run(content: bytes, **limits: int) -> Manifest:
        path = tmp_path / "upload"
        path.write_bytes(content)
        try:
            return unpack(path, store, limits=TreeLimits(**limits))
        finally:
            assert not list((store.root / "tmp").glob("*/*"))

    return run


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
