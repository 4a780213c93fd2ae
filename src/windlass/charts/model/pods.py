"""What containers of one pod share: where they run, their volumes, their identity (K-073)."""

from typing import Literal

from msgspec import field

from windlass.charts.model.containers import (
    Amount,
    Count,
    FieldOf,
    Positive,
    Profile,
    ResourceOf,
    Resources,
    SeLinux,
    Strict,
    Texts,
    Windows,
)


class Requirement(Strict):
    """One condition on labels."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[str] | None = None


class Selector(Strict):
    """Which objects, by their labels. Empty: all."""

    match_labels: Texts | None = None
    match_expressions: list[Requirement] | None = None


class NodeTerm(Strict):
    """Conditions on a node, all of which must hold."""

    match_expressions: list[Requirement] | None = None
    match_fields: list[Requirement] | None = None


class NodeTerms(Strict):
    """Terms of which one must hold."""

    node_selector_terms: list[NodeTerm]


class NodePreference(Strict):
    """A wish with its weight."""

    weight: Positive
    preference: NodeTerm


class NodeAffinity(Strict):
    """Nodes that are required or preferred."""

    required: NodeTerms | None = field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[NodePreference] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class PodTerm(Strict):
    """Near (or far from) the pods that are selected."""

    topology_key: str
    label_selector: Selector | None = None
    namespaces: list[str] | None = None
    namespace_selector: Selector | None = None
    match_label_keys: list[str] | None = None
    mismatch_label_keys: list[str] | None = None


class PodPreference(Strict):
    """A wish with its weight."""

    weight: Positive
    pod_affinity_term: PodTerm


class PodAffinity(Strict):
    """Pods that are required or preferred nearby (or elsewhere)."""

    required: list[PodTerm] | None = field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[PodPreference] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Strict):
    """Where the pod runs, in relation to nodes and to other pods."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(Strict):
    """A taint that does not keep the pod away."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None


class Spread(Strict):
    """How evenly pods are spread over nodes or zones."""

    max_skew: Positive
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: Selector | None = None
    min_domains: Positive | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: list[str] | None = None


class DnsOption(Strict):
    """An option of the resolver."""

    name: str
    value: str | None = None


class DnsConfig(Strict):
    """What is added to the resolver's settings."""

    nameservers: list[str] | None = None
    searches: list[str] | None = None
    options: list[DnsOption] | None = None


class HostAlias(Strict):
    """A line of /etc/hosts."""

    ip: str
    hostnames: list[str] | None = None


class Item(Strict):
    """One key as a file."""

    key: str
    path: str
    mode: Count | None = None


class ConfigMapVolume(Strict):
    """A ConfigMap as files."""

    name: str
    items: list[Item] | None = None
    default_mode: Count | None = None
    optional: bool | None = None


class SecretVolume(Strict):
    """A Secret as files."""

    secret_name: str
    items: list[Item] | None = None
    default_mode: Count | None = None
    optional: bool | None = None


class EmptyDir(Strict):
    """A folder that lives as long as the pod."""

    medium: str | None = None
    size_limit: Amount | None = None


class ClaimVolume(Strict):
    """A PersistentVolumeClaim."""

    claim_name: str
    read_only: bool | None = None


class HostPath(Strict):
    """A path of the node: only for what really manages nodes."""

    path: str
    type: str | None = None


class DownwardItem(Strict):
    """A fact of the pod as a file."""

    path: str
    field_ref: FieldOf | None = None
    resource_field_ref: ResourceOf | None = None
    mode: Count | None = None


class DownwardApi(Strict):
    """Facts of the pod as files."""

    items: list[DownwardItem] | None = None
    default_mode: Count | None = None


class Volume(Strict):
    """A volume of the pod. Kinds that have no field here go into `extra` of the workload."""

    name: str
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: ClaimVolume | None = None
    host_path: HostPath | None = None
    downward_api: DownwardApi | None = field(default=None, name="downwardAPI")
    projected: dict[str, object] | None = None
    csi: dict[str, object] | None = None
    nfs: dict[str, object] | None = None
    ephemeral: dict[str, object] | None = None
    image: dict[str, object] | None = None


class Sysctl(Strict):
    """A kernel parameter."""

    name: str
    value: str


class PodSecurity(Strict):
    """What all containers of the pod may do."""

    app_armor_profile: Profile | None = None
    fs_group: Count | None = None
    fs_group_change_policy: str | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    run_as_user: Count | None = None
    se_linux_options: SeLinux | None = None
    se_linux_change_policy: str | None = None
    seccomp_profile: Profile | None = None
    supplemental_groups: list[int] | None = None
    supplemental_groups_policy: str | None = None
    sysctls: list[Sysctl] | None = None
    windows_options: Windows | None = None


class NameRef(Strict):
    """Something by its name."""

    name: str


class Gate(NameRef):
    """What must be gone before the pod is placed."""


class PodOptions(Strict):
    """Everything of a pod but its containers."""

    node_selector: Texts | None = None
    node_name: str | None = None
    affinity: Affinity | None = None
    tolerations: list[Toleration] | None = None
    topology_spread_constraints: list[Spread] | None = None
    scheduler_name: str | None = None
    scheduling_gates: list[Gate] | None = None
    priority_class_name: str | None = None
    preemption_policy: str | None = None
    runtime_class_name: str | None = None
    os: NameRef | None = None
    dns_policy: str | None = None
    dns_config: DnsConfig | None = None
    host_aliases: list[HostAlias] | None = None
    hostname: str | None = None
    subdomain: str | None = None
    set_hostname_as_fqdn: bool | None = field(default=None, name="setHostnameAsFQDN")
    host_network: bool | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_users: bool | None = None
    share_process_namespace: bool | None = None
    service_account_name: str | None = None
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None
    image_pull_secrets: list[NameRef] | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    termination_grace_period_seconds: Count | None = None
    active_deadline_seconds: Positive | None = None
    security_context: PodSecurity | None = None
    resources: Resources | None = None
    volumes: list[Volume] | None = None
