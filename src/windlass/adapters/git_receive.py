"""Taking in what somebody pushes: Git unpacks it in the sandbox, its files go into the store.

The repository that is kept of a project (`<home>/caches/<project>/git`) is a cache: what is in it
need not be sent again. Where it is gone, the next push sends everything.
"""

import asyncio
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from windlass.adapters import git_errors
from windlass.adapters.git import Fetched, warnings_of
from windlass.adapters.git_box import Box
from windlass.core import trees
from windlass.core.blobs import BlobStore
from windlass.core.errors import BadRequest, Conflict
from windlass.core.launch import Bind
from windlass.core.manifest import TooManyFiles, TreeLimits, shown

SECONDS = 300.0
# A cache that grew beyond this many times the largest source begins anew.
_MOST_TIMES = 4
_MOST_PACKS = 200
_HEAD = re.compile(r"^windlass-head (\d+) ([0-9a-f]{40}) ([^\n]*)$", re.MULTILINE)
# What the script ends with where commits are missing, and where what was here is broken; Git
# itself ends with 1, 128 or 129.
_MISSING, _BROKEN, _MANY = 3, 4, 5
# Arguments: where the pack begins (counted from 1; 0: there is none), how large it may be, how many
# files a commit may have, the commits that are here already, `--`, the commits that shall be laid
# down.
_SCRIPT = """
set -eu
offset=$1 most=$2 files=$3
shift 3
[ -d /repo/objects ] || git init --quiet --bare --template= /repo
cd /repo
git rev-parse --git-dir > /dev/null || exit 4
rm -f objects/pack/tmp_*
here= lacking=
while [ "$1" != -- ]; do
  if git cat-file -e "$1" 2> /dev/null; then here="$here $1"; else lacking=4; fi
  shift
done
shift
if [ "$offset" != 0 ]; then
  tail -c "+$offset" /in/pack |
    git index-pack --stdin --fix-thin --max-input-size="$most" > /dev/null ||
    exit ${lacking:-1}
fi
number=0
for commit; do
  git rev-list --objects --quiet "$commit" --not $here || exit ${lacking:-3}
  # A few trees can name more files than any memory holds.
  [ "$(git ls-tree -r "$commit" | head -n "$((files + 1))" | wc -l)" -le "$files" ] || exit 5
  mkdir "/app/$number"
  export GIT_INDEX_FILE="/tmp/index$number"
  git --work-tree="/app/$number" read-tree "$commit^{commit}"
  git --work-tree="/app/$number" checkout-index --all --force
  git log -1 --format="windlass-head $number %H %s" "$commit"
  number=$((number + 1))
done
"""


class PushRefused(BadRequest):
    """The push could not be read: {detail}"""


class PushIncomplete(BadRequest):
    """Commits are missing in what was sent. Push from a whole clone (git fetch --unshallow)."""


class CacheLost(Conflict):
    """What earlier pushes had left here is gone. Push once more: Git sends everything then."""


class PushRunning(Conflict):
    """Another push of this project is being taken in. Try again in a moment."""


class Kept:
    """What is kept of one project between two pushes; `uid` is who Git runs as."""

    def __init__(self, folder: Path, uid: int | None) -> None:
        self.folder = folder
        self.uid = uid

    def tips(self) -> dict[str, str]:
        """The references that moved here, with their commits. Blocks."""
        try:
            return json.loads((self.folder / "tips.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}

    def move(self, ref: str, sha: str | None) -> None:
        """From now on the reference is there, or gone. Blocks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "tips.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            tips = self.tips() | ({ref: sha} if sha else {})
            if sha is None:
                tips.pop(ref, None)
            draft = self.folder / f".tips-{secrets.token_hex(4)}"
            draft.write_text(json.dumps(tips))
            draft.rename(self.folder / "tips.json")

    @contextmanager
    def alone(self) -> Generator[None]:
        """Nobody else takes a push of this project in meanwhile. Raises PushRunning."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise PushRunning() from error
            yield

    def ready(self, most_bytes: int) -> Path:
        """The repository's folder, emptied where it has grown too large. Blocks."""
        place = self.folder / "repo"
        packs = len(list(place.glob("objects/pack/*.pack")))
        if packs > _MOST_PACKS or trees.folder_size(place, stop_above=most_bytes) > most_bytes:
            self.forget()
        place.mkdir(exist_ok=True)
        if self.uid is not None:
            os.chown(place, self.uid, self.uid)
        return place

    def forget(self) -> None:
        """Begin anew: the next push sends everything. Blocks."""
        (self.folder / "tips.json").unlink(missing_ok=True)
        trees.remove_tree(self.folder / "repo")


async def receive(
    kept: Kept,
    pack: Path,
    offset: int,
    commits: Mapping[str, str],
    into: BlobStore,
    *,
    work: Path,
    limits: TreeLimits,
) -> dict[str, Fetched]:
    """Unpack what was pushed and store the files of each commit, by branch.

    `pack`: the body of the request, whose pack begins at `offset`. `commits`: the commit of each
    branch. `work`: a folder of ours that is gone afterwards. Raises PushRunning, PushRefused,
    PushIncomplete, CacheLost and the errors of git_errors and manifest.
    """
    if not commits:
        return {}
    if shutil.which("git") is None:
        raise git_errors.GitMissing
    box = Box(work, uid=kept.uid, egress=None, seconds=SECONDS, limits=limits)
    try:
        with kept.alone():
            tips = kept.tips().values()
            repository = await asyncio.to_thread(kept.ready, _MOST_TIMES * limits.total_bytes)
            await asyncio.to_thread(box.make)
            if kept.uid is not None:
                os.chown(pack, kept.uid, kept.uid)
            box.binds += (
                Bind(str(repository.absolute()), "/repo", writable=True),
                Bind(str(pack.absolute()), "/in/pack"),
            )
            begins = offset + 1 if pack.stat().st_size > offset else 0
            try:
                said = await _unpack(box, begins, tips, commits.values())
            except CacheLost:
                await asyncio.to_thread(kept.forget)
                raise
            heads = {int(number): (sha, text) for number, sha, text in _HEAD.findall(said)}
            return {
                branch: await _store(box, number, branch, heads[number], into)
                for number, branch in enumerate(commits)
            }
    finally:
        with suppress(FileNotFoundError):
            await asyncio.shield(asyncio.to_thread(trees.remove_tree, work))


async def _unpack(box: Box, begins: int, here: Iterable[str], commits: Iterable[str]) -> str:
    limits = box.limits
    arguments = (str(begins), str(limits.total_bytes), str(limits.files), *here, "--", *commits)
    ended, said = await box.run("receive", ("sh", "-c", _SCRIPT, "receive", *arguments))
    if ended.code == _MISSING:
        raise PushIncomplete()
    if ended.code == _BROKEN:
        raise CacheLost()
    if ended.code == _MANY:
        raise TooManyFiles(limit=limits.files, found=limits.files + 1)
    if ended.code != 0:
        raise PushRefused(detail=_reason(said))
    return said


def _reason(said: str) -> str:
    """The line in which Git says what is wrong."""
    lines = [text.strip() for text in said.splitlines() if text.strip()]
    wrong = [text for text in lines if text.startswith(("fatal:", "error:"))]
    return shown((wrong or lines or ["Git ended without a word"])[-1])


async def _store(
    box: Box, number: int, branch: str, head: tuple[str, str], into: BlobStore
) -> Fetched:
    limits = box.limits
    manifest = await asyncio.to_thread(
        into.scan,
        box.folder / "app" / str(number),
        within=box.folder,
        max_files=limits.files,
        max_bytes=limits.total_bytes,
        max_file_bytes=limits.file_bytes,
    )
    return Fetched(
        manifest=manifest,
        commit_sha=head[0],
        commit_message=shown(head[1].strip()),
        branch=branch,
        warnings=await asyncio.to_thread(warnings_of, manifest, into),
    )
