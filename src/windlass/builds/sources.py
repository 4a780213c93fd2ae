"""Reading a source: its manifest from the store, its files as the tree that detection reads."""

import json
from collections.abc import Sequence

import msgspec

from windlass.builds import machine
from windlass.builds.detect import detect, hostfiles
from windlass.builds.detect.hostfiles import Report
from windlass.builds.detect.source import Source
from windlass.builds.paths import plain, problem_with
from windlass.builds.plan import MANIFEST_BYTES, Overrides, Plan
from windlass.core.blobs import BlobStore
from windlass.core.manifest import Entry, Manifest


def save_manifest(store: BlobStore, manifest: Manifest) -> str:
    """Keep a manifest in the store; its hash names it. Blocks."""
    return store.put_bytes(msgspec.json.encode(manifest))


def load_manifest(store: BlobStore, sha256: str) -> Manifest:
    """The manifest that `save_manifest` kept. Blocks."""
    with store.open(sha256) as file:
        return msgspec.json.decode(file.read(), type=list[Entry])


def of_image(store: BlobStore, image: str) -> Manifest:
    """A source that names an image: the windlass.toml that a person would write. Blocks."""
    content = f"[container]\nimage = {json.dumps(image)}\n".encode()
    return [Entry("windlass.toml", store.put_bytes(content), len(content))]


class StoredTree:
    """A manifest as detection sees it: paths, and the beginnings of files."""

    def __init__(self, store: BlobStore, manifest: Manifest) -> None:
        self._store = store
        self._entries = {entry.path: entry for entry in manifest}

    def paths(self) -> Sequence[str]:
        return list(self._entries)

    def read(self, path: str, limit: int = MANIFEST_BYTES) -> bytes | None:
        entry = self._entries.get(path)
        if entry is None or entry.mode == "link":
            return None
        with self._store.open(entry.sha256) as file:
            return file.read(limit)


def plan_of(store: BlobStore, manifest_sha256: str, overrides: Overrides) -> Plan:
    """Detect the plan of a stored source. Blocks; raises the errors of detection."""
    tree = StoredTree(store, load_manifest(store, manifest_sha256))
    return detect(tree, overrides, installed=machine.installed())


def imports_of(
    store: BlobStore, manifest_sha256: str, plan: Plan | None, root: str | None
) -> Report | None:
    """What files of other hosts become here, for the plan or the folder that was asked for.
    Blocks; a broken file is a row."""
    top = Source(StoredTree(store, load_manifest(store, manifest_sha256)))
    folder = plan.root_directory if plan else plain(root or ".")
    if problem_with(folder):
        return None
    return hostfiles.report(top.at(folder) if folder != "." else top, top, plan)
