"""Archives that nobody vouches for: one function turns them into stored blobs and a manifest."""

from pathlib import Path

from windlass.core.blobs import BlobStore
from windlass.core.manifest import DEFAULT_LIMITS, Manifest, TreeLimits


def unpack(archive: Path, into: BlobStore, *, limits: TreeLimits = DEFAULT_LIMITS) -> Manifest:
    """The manifest of a tar, tar.gz, tar.bz2, tar.xz or zip, its content stored. Blocks."""
    raise NotImplementedError
