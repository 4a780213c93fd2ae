"""After the build: which files become the release, all of them in the store."""

from pathlib import Path

import msgspec

from windlass.adapters import sandbox
from windlass.builds import paths, steps
from windlass.builds.plan import Plan
from windlass.builds.steps import BuildFailed
from windlass.core import manifest as manifests
from windlass.core.blobs import BlobStore
from windlass.core.manifest import Manifest, TreeLimits
from windlass.core.reading import Reading, read_folder
from windlass.core.settings import Uploads

_NEVER = (".git", ".windlass")


def output(blobs: BlobStore, app: Path, plan: Plan, limits: Uploads) -> Manifest:
    """The folder that the build of a site made."""
    relative = paths.below(plan.root_directory, plan.output_directory)
    folder = app / relative
    if not folder.is_dir():
        raise steps.no_output(app, relative)
    found = blobs.scan(
        folder,
        within=app,
        mounted_at=f"/app/{relative}".rstrip("/."),
        max_files=limits.max_files,
        max_bytes=limits.max_bytes,
        ignore=_NEVER,
    )
    if not found:
        raise BuildFailed("OUTPUT_EMPTY", f"The output folder {relative} is empty.")
    return found


def application(blobs: BlobStore, app: Path, plan: Plan, kept: dict[str, Path]) -> Manifest:
    """The whole source as it is after the build, with the dependencies where they belong."""
    allowed = ("/usr", *(bind.target for bind in sandbox.toolchain().binds))
    limits = TreeLimits(files=200_000, total_bytes=8 << 30, file_bytes=4 << 30)
    aside = (*_NEVER, *kept, *plan.framework_caches, *plan.build_only)
    found = _read(blobs, app, "", limits, aside)
    for directory, place in kept.items():
        if directory in plan.build_only:
            continue
        found += _read(blobs, place, f"{directory}/", limits, (".cache",))
    # Links between the parts are fine, so they are looked at together.
    return manifests.checked(found, limits=limits, allow_links_under=allowed, on_disk=True)


def of_source(plan: Plan, manifest: Manifest) -> Manifest:
    """The part of the source that is served, when nothing has to be built."""
    relative = paths.below(plan.root_directory, plan.output_directory)
    prefix = "" if relative == "." else f"{relative}/"
    found = [
        msgspec.structs.replace(entry, path=entry.path.removeprefix(prefix))
        for entry in manifest
        if entry.path.startswith(prefix) and not paths.is_hidden(entry.path.removeprefix(prefix))
    ]
    if not found:
        raise BuildFailed("OUTPUT_EMPTY", f"There are no files to serve in {relative}.")
    # Links that were fine in the source may leave the part of it that is served.
    return manifests.checked(found)


def _read(
    blobs: BlobStore, folder: Path, prefix: str, limits: TreeLimits, ignore: tuple[str, ...]
) -> Manifest:
    """Take a part of the app in; its paths start with the prefix."""
    what = Reading(limits=limits, ignore=frozenset(ignore), mounted_at=f"/app/{prefix}".rstrip("/"))
    with blobs.batch() as batch:
        entries = read_folder(folder, batch, what, within=folder)
    return [msgspec.structs.replace(entry, path=prefix + entry.path) for entry in entries]
