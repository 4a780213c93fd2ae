"""What the project routes take and give."""

import datetime as dt
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from windlass.auth.models import User
from windlass.auth.permissions import GRANTS, Permission, Role
from windlass.core import ids
from windlass.core.process import Drain, HealthPath, Said, StartTimeout
from windlass.core.schemas import In, Out
from windlass.core.settings import Settings
from windlass.projects.models import EnvVariable, Project, Site
from windlass.projects.sharing import Share
from windlass.teams.schemas import RoleName

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Command = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Folder = Annotated[str, Meta(max_length=400, pattern=r"^[^\x00]*$")]
RepositoryUrl = Annotated[str, Meta(max_length=1000)]
Branch = Annotated[str, Meta(min_length=1, max_length=255)]
NodeVersion = Literal["16", "18", "20", "21", "22", "24"]
Supersede = Annotated[
    bool, Meta(description="A newer commit of a branch ends the build of an older one, too.")
]
KeepReleases = Annotated[
    int,
    Meta(
        ge=1, le=100, description="How many releases are kept for rollbacks; the live one counts."
    ),
]
WatchMinutes = Annotated[
    int,
    Meta(
        ge=0,
        le=120,
        description="For so long after a switch production goes back by itself when errors rise."
        " 0: never.",
    ),
]
Key = Annotated[
    str,
    Meta(
        max_length=256,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Use letters, digits and underscores, not starting with a digit",
    ),
]
Value = Annotated[str, Meta(max_length=32_768, pattern=r"^[^\x00]*$")]
Processes = Annotated[
    tuple[Said, ...],
    Meta(
        max_length=32,
        description="What is said of processes, by name; `web` is the server. What windlass.toml"
        " or a Procfile says of the others stays.",
    ),
]
ProjectSort = Literal["name", "-name", "createdAt", "-createdAt"]
TargetName = Literal["production", "preview", "development"]
Id = Annotated[str, Meta(max_length=64)]


def said_of(processes: list[dict[str, Any]]) -> tuple[Said, ...]:
    """What a project says of its processes, as it is kept."""
    return msgspec.convert(processes, tuple[Said, ...])


class Seen(NamedTuple):
    """A project as somebody sees it."""

    project: Project
    site: Site
    owner: User
    role: RoleName


class OwnerOut(Out):
    """Whose a project is; the plan of this person counts for it (E-16)."""

    id: str
    name: str
    plan: str


class ProjectOut(Out):
    """A project, where it is live, and its newest deployment."""

    id: str
    name: str
    slug: str
    # What stands for it in addresses of pages: the id when it is somebody else's.
    ref: str
    owner: OwnerOut
    role: RoleName
    repository_url: str | None
    repository_branch: str
    framework: str | None
    install_command: str | None
    build_command: str | None
    output_directory: str | None
    start_command: str | None
    release_command: str | None
    health_path: str | None
    start_timeout_seconds: float | None
    drain_seconds: float | None
    processes: tuple[Said, ...]
    root_directory: str | None
    node_version: str | None
    build_network: bool
    supersede_running: bool
    # Null: as many as the server's settings say.
    keep_releases: int | None
    watch_minutes: int
    url: str
    # False while its live version is workers alone: then nothing answers at its address.
    answers: bool
    active_deployment_id: str | None
    # The shape of a deployment, which stands above this area.
    latest_deployment: Out | None
    created_at: dt.datetime
    updated_at: dt.datetime

    @classmethod
    def of(cls, seen: Seen, latest: Out | None, settings: Settings, *, ref: str) -> "ProjectOut":
        row, site, owner = seen.project, seen.site, seen.owner
        active = site.active_id
        return cls(
            id=ids.public("proj", row.id),
            name=row.name,
            slug=row.slug,
            ref=ref,
            owner=OwnerOut(
                id=ids.public("user", owner.id),
                name=owner.name or owner.email or "",
                plan=owner.plan.value.lower(),
            ),
            role=seen.role,
            repository_url=row.repository_url,
            repository_branch=row.repository_branch,
            framework=row.framework,
            install_command=row.install_command,
            build_command=row.build_command,
            output_directory=row.output_directory,
            start_command=row.start_command,
            release_command=row.release_command,
            health_path=row.health_path,
            start_timeout_seconds=row.start_timeout_seconds,
            drain_seconds=row.drain_seconds,
            processes=said_of(row.processes),
            root_directory=row.root_directory,
            node_version=row.node_version,
            build_network=row.build_network,
            supersede_running=row.supersede_running,
            keep_releases=row.keep_releases,
            watch_minutes=row.watch_minutes,
            url=settings.site_url(site.host),
            answers=site.answers,
            active_deployment_id=ids.public("depl", active) if active else None,
            latest_deployment=latest,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def may(self, permission: str) -> bool:
        """Whether the role of the caller allows it."""
        return Permission(permission) in GRANTS[Role(self.role.upper())]


class ProjectCreate(In):
    """Settings left out are detected."""

    name: Name
    repository_url: RepositoryUrl | None = None
    repository_branch: Branch = "main"
    framework: Name | None = None
    install_command: Command | None = None
    build_command: Command | None = None
    output_directory: Folder | None = None
    start_command: Command | None = None
    release_command: Command | None = None
    health_path: HealthPath | None = None
    start_timeout_seconds: StartTimeout | None = None
    drain_seconds: Drain | None = None
    processes: Processes = ()
    root_directory: Folder | None = None
    node_version: NodeVersion | None = None
    build_network: bool = False
    supersede_running: Supersede = False
    keep_releases: KeepReleases | None = None
    watch_minutes: WatchMinutes = 0


class ProjectChange(In):
    """Only what is given changes; null means "detect it"."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    repository_url: RepositoryUrl | msgspec.UnsetType | None = msgspec.UNSET
    repository_branch: Branch | msgspec.UnsetType = msgspec.UNSET
    framework: Name | msgspec.UnsetType | None = msgspec.UNSET
    install_command: Command | msgspec.UnsetType | None = msgspec.UNSET
    build_command: Command | msgspec.UnsetType | None = msgspec.UNSET
    output_directory: Folder | msgspec.UnsetType | None = msgspec.UNSET
    start_command: Command | msgspec.UnsetType | None = msgspec.UNSET
    release_command: Command | msgspec.UnsetType | None = msgspec.UNSET
    health_path: HealthPath | msgspec.UnsetType | None = msgspec.UNSET
    start_timeout_seconds: StartTimeout | msgspec.UnsetType | None = msgspec.UNSET
    drain_seconds: Drain | msgspec.UnsetType | None = msgspec.UNSET
    processes: Processes | msgspec.UnsetType = msgspec.UNSET
    root_directory: Folder | msgspec.UnsetType | None = msgspec.UNSET
    node_version: NodeVersion | msgspec.UnsetType | None = msgspec.UNSET
    build_network: bool | msgspec.UnsetType = msgspec.UNSET
    supersede_running: Supersede | msgspec.UnsetType = msgspec.UNSET
    keep_releases: KeepReleases | msgspec.UnsetType | None = msgspec.UNSET
    watch_minutes: WatchMinutes | msgspec.UnsetType = msgspec.UNSET


class EnvSet(In):
    """Set a variable for some targets; one that exists is replaced."""

    key: Key
    value: Value
    secret: bool = False
    targets: Annotated[tuple[TargetName, ...], Meta(min_length=1, max_length=3)] = (
        "production",
        "preview",
    )


class EnvChange(In):
    value: Value | msgspec.UnsetType = msgspec.UNSET
    secret: bool | msgspec.UnsetType = msgspec.UNSET


class EnvOut(Out):
    """A variable of one target. The value of a secret never leaves: it is null."""

    id: str
    key: str
    value: str | None
    secret: bool
    target: str
    created_at: dt.datetime
    updated_at: dt.datetime

    @classmethod
    def of(cls, row: EnvVariable, value: str | None) -> "EnvOut":
        return cls(
            id=ids.public("env", row.id),
            key=row.key,
            value=None if row.is_secret else value,
            secret=row.is_secret,
            target=row.target.value,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class DeployKeyOut(Out):
    """What the Git host is given so that a project's repository can be read."""

    public_key: str | None


class ShareOut(Out):
    """A team that sees a project."""

    team_id: str
    name: str
    slug: str
    members: int
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Share) -> "ShareOut":
        return cls(
            team_id=ids.public("team", row.team_id),
            name=row.name,
            slug=row.slug,
            members=row.members,
            created_at=row.created_at,
        )


class ShareWith(In):
    team_id: Id


class TransferTo(In):
    user_id: Id
