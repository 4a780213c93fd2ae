"""A container and what belongs to it, with the names that Kubernetes gives them (K-072)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field


class Part(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """A piece of a form that is also a piece of a manifest: the same names, None is left out."""


class Strict(Part, forbid_unknown_fields=True):
    """A piece that refuses what it does not know, so that nothing vanishes silently."""


Amount = str | int | float
"""A quantity of Kubernetes: `500m`, `0.5`, `128Mi`."""
Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Texts = dict[str, str]


class ContainerPort(Strict):
    """A port that the container listens on."""

    container_port: Port
    name: str | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None
    host_port: Port | None = None
    host_ip: str | None = field(default=None, name="hostIP")


class KeyOf(Strict):
    """One key of a ConfigMap or a Secret."""

    name: str
    key: str
    optional: bool | None = None


class FieldOf(Strict):
    """A field of the pod itself."""

    field_path: str
    api_version: str | None = None


class ResourceOf(Strict):
    """An amount that a container asks for or may use."""

    resource: str
    container_name: str | None = None
    divisor: Amount | None = None


class ValueFrom(Strict):
    """Where a variable's value comes from: one of the four."""

    config_map_key_ref: KeyOf | None = None
    secret_key_ref: KeyOf | None = None
    field_ref: FieldOf | None = None
    resource_field_ref: ResourceOf | None = None


class EnvVar(Strict):
    """One environment variable."""

    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Named(Strict):
    """A ConfigMap or Secret by name."""

    name: str
    optional: bool | None = None


class EnvFrom(Strict):
    """All keys of a ConfigMap or a Secret as variables."""

    config_map_ref: Named | None = None
    secret_ref: Named | None = None
    prefix: str | None = None


class Claim(Strict):
    """A device claimed for the pod."""

    name: str
    request: str | None = None


class Resources(Strict):
    """What is set aside for the container, and what it may use at most."""

    requests: dict[str, Amount] | None = None
    limits: dict[str, Amount] | None = None
    claims: list[Claim] | None = None


class VolumeMount(Strict):
    """A volume of the pod at a path of the container."""

    name: str
    mount_path: str
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool | None = None
    mount_propagation: str | None = None
    recursive_read_only: str | None = None


class VolumeDevice(Strict):
    """A volume of the pod as a block device."""

    name: str
    device_path: str


class Header(Strict):
    """A header of an HTTP request."""

    name: str
    value: str


class HttpGet(Strict):
    """A GET that must answer 2xx or 3xx."""

    port: int | str
    path: str | None = None
    host: str | None = None
    scheme: Literal["HTTP", "HTTPS"] | None = None
    http_headers: list[Header] | None = None


class TcpSocket(Strict):
    """A connection that must open."""

    port: int | str
    host: str | None = None


class Exec(Strict):
    """A command that must end with 0."""

    command: list[str]


class Grpc(Strict):
    """The gRPC health protocol."""

    port: Port
    service: str | None = None


class Probe(Strict):
    """How Kubernetes asks whether the container is well: one of httpGet, tcpSocket, exec, grpc."""

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    exec: Exec | None = None
    grpc: Grpc | None = None
    initial_delay_seconds: Count | None = None
    period_seconds: Positive | None = None
    timeout_seconds: Positive | None = None
    success_threshold: Positive | None = None
    failure_threshold: Positive | None = None
    termination_grace_period_seconds: Count | None = None


class Sleep(Strict):
    """A pause."""

    seconds: Count


class Handler(Strict):
    """What happens after the start or before the end."""

    exec: Exec | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    sleep: Sleep | None = None


class Lifecycle(Strict):
    """Hooks of the container."""

    post_start: Handler | None = None
    pre_stop: Handler | None = None
    stop_signal: str | None = None


class Capabilities(Strict):
    """Linux capabilities added and taken away."""

    add: list[str] | None = None
    drop: list[str] | None = None


class Profile(Strict):
    """A seccomp or AppArmor profile."""

    type: str
    localhost_profile: str | None = None


class SeLinux(Strict):
    """SELinux labels."""

    level: str | None = None
    role: str | None = None
    type: str | None = None
    user: str | None = None


class Windows(Strict):
    """Options of Windows containers."""

    gmsa_credential_spec: str | None = None
    gmsa_credential_spec_name: str | None = None
    host_process: bool | None = None
    run_as_user_name: str | None = None


class SecurityContext(Strict):
    """What the container may do."""

    allow_privilege_escalation: bool | None = None
    app_armor_profile: Profile | None = None
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    proc_mount: str | None = None
    read_only_root_filesystem: bool | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    run_as_user: Count | None = None
    se_linux_options: SeLinux | None = None
    seccomp_profile: Profile | None = None
    windows_options: Windows | None = None


class Container(Strict):
    """One container. `ports` may be numbers, `env` may be a mapping, `name` may be left out."""

    id: str = ""
    """The form's own id; no part of the manifest."""
    name: str = ""
    """Empty: the workload's name, with a number from the second on."""
    image: str | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    working_dir: str | None = None
    ports: list[ContainerPort | int] | None = None
    env: list[EnvVar] | Texts | None = None
    env_from: list[EnvFrom] | None = None
    resources: Resources | None = None
    resize_policy: list[Texts] | None = None
    restart_policy: str | None = None
    """Only of init containers: `Always` makes it a sidecar."""
    volume_mounts: list[VolumeMount] | None = None
    volume_devices: list[VolumeDevice] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    termination_message_path: str | None = None
    termination_message_policy: str | None = None
    stdin: bool | None = None
    stdin_once: bool | None = None
    tty: bool | None = None
    target_container_name: str | None = None
    """Only of ephemeral containers."""
    extra: dict[str, object] = field(default_factory=dict)
    """Fields that this form lacks, merged into the container as they are."""
