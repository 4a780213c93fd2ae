"""Every setting of the platform; `core/environment.py` reads them, once, at start-up."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from windlass.core import crypto

_SECRET = {"secret": True}

Rate = Annotated[
    str,
    msgspec.Meta(
        pattern="^[1-9][0-9]{0,6}/[1-9][0-9]{0,6}$",
        description="requests/seconds, both from 1 to 9999999, such as 100/60",
    ),
]
# Never shown; may stand in a file of its own that NAME_FILE names (C-295).
Secret = Annotated[str, msgspec.Meta(extra=_SECRET)]
RedisUrl = Annotated[
    str,
    msgspec.Meta(
        extra=_SECRET,
        pattern="^((redis|rediss|unix)://.+)?$",
        description="an address that begins with redis://, rediss:// or unix://",
    ),
]


DockerHost = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^((unix:///|tcp://|https?://)[^\s]+)?$",
        description="an address that begins with unix:///, tcp:// or https://",
    ),
]
MailAddress = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([^<>\r\n\x00]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)?$",
        description="an address such as windlass@example.com or Windlass <windlass@example.com>",
    ),
]


Origins = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(https?://[^\s/,*]+(\s*,\s*https?://[^\s/,*]+)*)?$",
        description="origins such as https://app.example.com, exact ones, comma-separated",
    ),
]


Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(https?://[^\s?#]+)?$",
        description="an address that begins with https:// or http://",
    ),
]


class Section(msgspec.Struct, frozen=True):
    """Settings that do not show their secrets when they are printed."""

    def __repr__(self) -> str:
        hints = get_type_hints(type(self), include_extras=True)
        shown = (
            f"{name}={'***' if is_secret(kind) and getattr(self, name) else getattr(self, name)!r}"
            for name, kind in hints.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Database(Section, frozen=True):
    pool_size: int = 5
    """Connections that one process keeps at the most."""


class Builds(Section, frozen=True):
    concurrency: int = 0
    """Builds that run at the same time on one worker, while memory lasts; 0: one for each core."""
    timeout_seconds: int = 600
    """A build (all of its steps together) running longer than this is killed and fails."""
    install_timeout_seconds: int = 300
    """Time that the install step may take."""
    release_timeout_seconds: int = 600
    """Time for the release command, after waiting for that of another deployment."""
    clone_timeout_seconds: int = 120
    """Time that fetching a Git repository may take."""
    memory_bytes: int = 2 << 30
    """Memory of one build, its temporary files included; more ends it as out of memory."""
    cpus: float = 2.0
    """Processor cores that one build may use."""
    processes: int = 512
    """Processes and threads that one build may have."""
    disk_reserve_bytes: int = 512 << 20
    """A build is ended as "disk full" when less than this is left on the disk of the home."""
    log_bytes: int = 64 << 20
    """Output kept of one build; what comes after is counted, not stored."""
    egress: str = ""
    """Hosts that install steps may reach, comma-separated; empty: every public address."""
    allow_private: str = ""
    """Private hosts or networks that builds, apps and Git may reach, comma-separated."""
    unsafe: bool = False
    """Where bubblewrap is missing, build and run apps without it. For development only."""
    keep_releases: int = 10
    """Releases kept of each project for rollback; the active one is always kept."""
    keep_previews: int = 10
    """Previews kept of each project, besides those that a branch's address shows."""
    preview_days: int = 30
    """Days that a preview is kept, unless a branch's address shows it; 0: whatever its age."""
    uid_base: int = 210_000
    """First of the user ids that builds and apps run as when Windlass runs as root."""


class Apps(Section, frozen=True):
    memory_bytes: int = 512 << 20
    """Memory of each process of an app that asks for no other."""
    max_memory_bytes: int = 4 << 30
    """The most that a process may ask for."""
    cpus: float = 1.0
    """Processor cores that each process of an app may use."""
    max_cpus: float = 4.0
    """The most cores that a process may ask for."""
    processes: int = 256
    """Processes and threads that each process of an app may have inside."""
    max_workers: int = 8
    """Processes that an app may have beside `web`."""
    start_timeout_seconds: float = 60.0
    """Time in which a new release must answer before traffic is switched to it."""
    drain_seconds: float = 30.0
    """Time that requests of the old release get to finish after a switch."""
    grace_seconds: float = 10.0
    """Time between SIGTERM and SIGKILL when a process is ended."""
    preview_idle_minutes: int = 30
    """Minutes after which the process of a preview that nobody asked for is stopped, until somebody
    does; 0: it always runs."""
    restart_tries: int = 10
    """Failures in a row after which a process with the restart policy `on-failure` is given up."""
    steady_seconds: float = 5.0
    """How long the workers of a project without a web process have to be at work after a switch,
    or it is taken back."""


class Logs(Section, frozen=True):
    file_bytes: int = 16 << 20
    """Size of one file of what a process of an app writes."""
    files: int = 8
    """Files that are kept of each process; the oldest goes first."""
    days: int = 14
    """Days after which a file of them is removed."""
    bytes_per_second: int = 2 << 20
    """What one process may write for long; lines beyond that are left out, and counted."""


class Containers(Section, frozen=True):
    open_network: bool = False
    """Give containers the engine's own network where theirs cannot be guarded: a remote engine, no
    root, and RUN steps that BuildKit runs. They then reach private hosts."""
    local_images: str = ""
    """Images that lie on the engine and that projects may use without a registry,
    comma-separated; everything else there belongs to somebody else."""


class Disk(Section, frozen=True):
    cache_bytes: int = 20 << 30
    """What the build caches of all projects may take together; the longest unused go first."""
    project_cache_bytes: int = 8 << 30
    """What the build caches of one project may take."""
    floor_bytes: int = 2 << 30
    """When less than this is free on the disk of the home, build caches go until it is."""


class Uploads(Section, frozen=True):
    max_bytes: int = 2 << 30
    """Size of one source, unpacked."""
    max_files: int = 50_000
    """Files of one source."""
    max_file_bytes: int = 512 << 20
    """Size of one file."""


class Edge(Section, frozen=True):
    cache_bytes: int = 32 << 20
    """Memory that the edge uses for the contents of small files."""
    trusted_proxies: str = ""
    """Networks whose X-Forwarded-* headers are believed, comma-separated: a proxy in front."""


class Limits(Section, frozen=True):
    anonymous: Rate = "60/60"
    """API requests of one address that is not signed in, as requests/seconds (C-080)."""
    free: Rate = "100/60"
    """API requests of one person on the plan FREE."""
    pro: Rate = "500/60"
    """The same on PRO."""
    team: Rate = "1000/60"
    """The same on TEAM."""
    enterprise: Rate = "5000/60"
    """The same on ENTERPRISE."""
    read: Rate = "100/60"
    """Of these, requests that read; for other plans in proportion to their API requests."""
    write: Rate = "20/60"
    """Of these, requests that change something; for other plans in proportion."""
    stripe: Rate = "10/60"
    """Of these, requests about payments; for other plans in proportion."""
    upload: Rate = "1000/60"
    """Requests that carry contents of sources; counted apart, one deployment makes dozens."""
    page: Rate = "600/60"
    """Pages of the panel and their live updates, for one person or address."""
    health: Rate = "600/60"
    """Health checks of one address."""
    machine: Rate = "1000/60"
    """Calls of webhooks and analytics from one address, whatever they are about."""
    sign_in: Rate = "5/60"
    """Tries to sign in: of one address, and for one account (C-035)."""
    second_factor: Rate = "5/60"
    """Codes tried: of one address, and for one account."""
    forgot_password: Rate = "3/300"
    """Requests for a link to a new password: of one address, and for one account."""
    deploy: Rate = "10/60"
    """Deployments that one person creates."""
    deploy_hourly: Rate = "60/3600"
    """The same over a longer time (K-023); for other plans in proportion."""
    webhook: Rate = "30/60"
    """Calls of one source of webhooks that are not signed, or wrongly (D-22)."""
    ingest: Rate = "1000/60"
    """Analytics calls of one project."""


class Auth(Section, frozen=True):
    sign_up: Literal["open", "invitation", "closed"] = "invitation"
    """Who may make an account: everybody, who was invited by an admin or into a team, nobody."""


class GitHub(Section, frozen=True):
    client_id: str = ""
    """Client id of an OAuth app there; with it people can sign in with GitHub."""
    client_secret: Secret = ""
    """Its client secret."""
    url: Url = "https://github.com"
    """Where it is; another address for GitHub Enterprise Server."""
    api_url: Url = "https://api.github.com"
    """Where its API is: `https://HOST/api/v3` for GitHub Enterprise Server."""
    scopes: str = "read:user user:email"
    """What we ask for, separated by blanks; who it is and the confirmed address are needed."""


class Google(Section, frozen=True):
    client_id: str = ""
    """Client id of a web application there; with it people can sign in with Google."""
    client_secret: Secret = ""
    """Its client secret."""
    issuer: Url = "https://accounts.google.com"
    """Who signs what we are told."""


class Oidc(Section, frozen=True):
    issuer: Url = ""
    """Any OpenID Connect issuer, `https://login.example.com/realms/main`."""
    client_id: str = ""
    """Client id that this Windlass has there."""
    client_secret: Secret = ""
    """Its client secret."""
    label: str = "single sign-on"
    """What the button says after "Sign in with"."""


class Providers(Section, frozen=True):
    github: GitHub = GitHub()
    google: Google = Google()
    oidc: Oidc = Oidc()
    allow_private: str = ""
    """Private hosts (`name:port`) or networks that providers may be at, comma-separated."""


class Clusters(Section, frozen=True):
    allow_private: str = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7"
    """Private hosts (`name:port`) or networks that Kubernetes clusters may be at, comma-separated.
    Where strangers may sign up, say which; `127.0.0.0/8` for a cluster on this machine."""


class Mail(Section, frozen=True):
    host: str = ""
    """SMTP server that takes our mail; empty: each mail becomes a file below `<home>/mail`."""
    port: int = 587
    """Its port: 587 with `starttls`, 465 with `tls`, 25 for a server of one's own network."""
    user: str = ""
    """Name to sign in to the server with; empty: without."""
    password: Secret = ""
    """Password to sign in to the server with."""
    sender: MailAddress = ""
    """Whom mail is from, `Windlass <windlass@example.com>`; empty: `windlass@` the panel's host."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured: after a plain greeting, from its first byte, not at all."""


class Secrets(Section, frozen=True):
    data_key: Secret = ""
    """Key that seals stored secrets: 32 bytes or more in Base64. Several with commas, the newest
    first: the others only open. Empty: `<home>/keys/data.json`."""
    session_key: Secret = ""
    """Key that signs sessions, written like the one above. Empty: `<home>/keys/sessions.json`."""

    @property
    def data_keys(self) -> tuple[bytes, ...]:
        return crypto.given_keys(self.data_key)

    @property
    def session_keys(self) -> tuple[bytes, ...]:
        return crypto.given_keys(self.session_key)


class Settings(Section, frozen=True):
    home: str = "~/.local/share/windlass"
    """Where an instance keeps everything it owns; mode 0700."""
    environment: Literal["development", "production"] = "development"
    """In production missing secrets stop the start; in development they are made."""
    host: str = "127.0.0.1"
    """Address that the edge listens on; 0.0.0.0 is every address of the machine."""
    port: int = 8000
    """Port of the edge: the panel and every site."""
    base_domain: str = "localhost"
    """Sites are `<slug>.<base domain>`."""
    panel_hosts: str = ""
    """Further host names of the panel, comma-separated."""
    url: str = ""
    """Address of the panel as people type it; empty: made from base domain and port."""
    database_url: Secret = ""
    """PostgreSQL to use, `postgresql://…`; empty: the embedded one."""
    docker_host: DockerHost = ""
    """Container engine, `unix:///run/docker.sock` or `tcp://host:port`; empty: the usual sockets
    of Docker and Podman."""
    redis_url: RedisUrl = ""
    """Redis that counts rate limits for several machines, `redis://…`; empty: each for itself."""
    cors_origins: Origins = ""
    """Origins whose pages may call the API, with a token, comma-separated; empty: the panel's."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much the log says."""
    database: Database = Database()
    builds: Builds = Builds()
    apps: Apps = Apps()
    logs: Logs = Logs()
    containers: Containers = Containers()
    disk: Disk = Disk()
    uploads: Uploads = Uploads()
    edge: Edge = Edge()
    limits: Limits = Limits()
    auth: Auth = Auth()
    mail: Mail = Mail()
    providers: Providers = Providers()
    clusters: Clusters = Clusters()
    secrets: Secrets = Secrets()

    @property
    def folder(self) -> Path:
        """The home as an absolute path."""
        return Path(self.home).expanduser().absolute()

    @property
    def panel_url(self) -> str:
        """Where the panel is, without a slash at the end."""
        return self.url.rstrip("/") or f"http://{self.base_domain}{self._port_suffix}"

    def site_url(self, host: str) -> str:
        """The address of a site (C-133, D-51): the one function that builds it."""
        before, after = self.around_host
        return before + host + after

    @property
    def around_host(self) -> tuple[str, str]:
        """What stands before and behind the host name in the address of a site."""
        return ("https://" if self.url.startswith("https:") else "http://", self._port_suffix)

    def site_host(self, slug: str) -> str:
        """The host name of a site."""
        return f"{slug}.{self.base_domain}"

    @property
    def _port_suffix(self) -> str:
        public = self.url and ":" not in self.url.split("//", 1)[-1]
        return "" if self.port in (80, 443) or public else f":{self.port}"


def words(text: str) -> tuple[str, ...]:
    """The values of a comma-separated setting."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def is_secret(kind: Any) -> bool:
    """Whether a setting of this type is never shown."""
    metas: tuple[object, ...] = getattr(kind, "__metadata__", ())
    return any(isinstance(meta, msgspec.Meta) and meta.extra == _SECRET for meta in metas)
