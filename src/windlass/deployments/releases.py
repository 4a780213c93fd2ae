"""The files of a release, as the build left them."""

import asyncio

from windlass.builds import sources
from windlass.core.blobs import BlobStore
from windlass.core.errors import NotFound
from windlass.core.manifest import Manifest
from windlass.deployments.models import Deployment


class FolderNotFound(NotFound):
    """There is no such folder in this release."""


async def manifest_of(store: BlobStore, deployment: Deployment | None) -> Manifest:
    """What was built; nothing for a deployment that came to no release, or whose files are gone."""
    if deployment is None or deployment.manifest_sha256 is None:
        return []
    try:
        return await asyncio.to_thread(sources.load_manifest, store, deployment.manifest_sha256)
    except (FileNotFoundError, NotFound):
        return []
