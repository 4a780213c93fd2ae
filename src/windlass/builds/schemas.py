"""What the routes of blobs and sources take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.builds.detect.hostfiles import Report
from windlass.builds.models import RegistryLogin, Source
from windlass.builds.plan import Plan
from windlass.core import ids
from windlass.core.schemas import In, Out

Path = Annotated[str, Meta(min_length=1, max_length=1024)]
IgnoreFile = Annotated[str, Meta(max_length=1 << 16)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class BlobQuery(In):
    hashes: Annotated[list[Sha256], Meta(max_length=10_000)]


class BlobsMissing(Out):
    missing: list[str]


class BlobsStored(Out):
    stored: int


class FileIn(In):
    """One file of an upload; a link has its target and no content."""

    path: Path
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    size: Annotated[int, Meta(ge=0)] = 0
    mode: Literal["file", "exec", "link"] = "file"
    target: Annotated[str, Meta(max_length=4095)] = ""


class Listing(In):
    """The files of a folder before anything of it is sent, and the text of its ignore files."""

    paths: Annotated[list[Path], Meta(max_length=100_000)]
    rules: Annotated[dict[Path, IgnoreFile], Meta(max_length=1000)] = msgspec.field(
        default_factory=dict[str, str]
    )


class LeftOut(Out):
    """What is not to be sent: named by the folder's own rules, or never sent at all."""

    by_rules: list[str]
    always: list[str]


class SourceCreate(In):
    """The files of an upload, or a repository to fetch, or the name of an image to run."""

    files: list[FileIn] | None = None
    name: Annotated[str, Meta(max_length=200)] | None = None
    repository_url: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    branch: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    image: Annotated[str, Meta(min_length=1, max_length=500, examples=["nginx:1.27"])] | None = None


class Choice(Out):
    """One application of a source that holds several: a root directory and what lies there."""

    root_directory: str
    label: str


class SourceError(Out):
    code: str
    message: str
    choices: tuple[Choice, ...] = ()


class SourceOut(Out):
    """A source and, once it is ready, the plan that was detected for it."""

    id: str
    kind: str
    status: str
    name: str | None
    error: SourceError | None
    file_count: int
    size_bytes: int
    repository_url: str | None
    branch: str | None
    commit_sha: str | None
    commit_message: str | None
    suggested_name: str
    plan: Plan | None
    plan_error: SourceError | None
    imports: Report | None
    """What files of other hosts become here; given where one source is asked for."""
    created_at: dt.datetime

    @classmethod
    def of(
        cls,
        row: Source,
        *,
        plan: Plan | None = None,
        plan_error: SourceError | None = None,
        imports: Report | None = None,
    ) -> "SourceOut":
        failed = row.error_code is not None
        return cls(
            id=ids.public("src", row.id),
            kind=row.kind.value,
            status=row.status.value.lower(),
            name=row.name,
            error=SourceError(code=row.error_code or "", message=row.error_message or "")
            if failed
            else None,
            file_count=row.file_count,
            size_bytes=row.size_bytes,
            repository_url=row.repository_url,
            branch=row.branch,
            commit_sha=row.commit_sha,
            commit_message=row.commit_message,
            suggested_name=suggested_name(row),
            plan=plan,
            plan_error=plan_error,
            imports=imports,
            created_at=row.created_at,
        )


def suggested_name(row: Source) -> str:
    """The last part of the repository, or of the archive's or folder's name."""
    text = (row.repository_url or row.name or "").rstrip("/")
    last = text.replace(":", "/").rsplit("/", 1)[-1]
    for ending in (".git", ".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2"):
        last = last.removesuffix(ending)
    return last


class LoginSet(In):
    """A login at a registry of images: `ghcr.io`, `registry.example.com:5000`, `docker.io`."""

    registry: Annotated[str, Meta(min_length=1, max_length=255, examples=["ghcr.io"])]
    username: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f:]+$")]
    password: Annotated[
        str,
        # Some registries give tokens of several thousand letters.
        Meta(min_length=1, max_length=8192, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["0a1b2c3d"]),
    ]


class LoginOut(Out):
    """A login without its password."""

    id: str
    registry: str
    username: str
    created_at: dt.datetime
    updated_at: dt.datetime

    @classmethod
    def of(cls, row: RegistryLogin) -> "LoginOut":
        return cls(
            id=ids.public("reg", row.id),
            registry=row.host,
            username=row.username,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
