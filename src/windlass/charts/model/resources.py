"""Everything beside the workloads, each with the `spec` that Kubernetes knows (K-075, K-084)."""

from typing import Literal

from msgspec import field

from windlass.charts.model.containers import Amount, Count, Strict, Texts
from windlass.charts.model.networking import (
    GatewaySpec,
    IngressSpec,
    NetworkPolicySpec,
    RouteSpec,
    ServiceSpec,
)
from windlass.charts.model.pods import Selector, Toleration


class Described(Strict, tag_field="type", kw_only=True):
    """What every resource has."""

    name: str
    id: str = ""
    """The form's own id; no part of the manifest."""
    namespace: str | None = None
    """Left out: the application's. Empty: none is written."""
    labels: Texts | None = None
    annotations: Texts | None = None
    extra: dict[str, object] = field(default_factory=dict)
    """Fields that this form lacks, merged into the manifest from its top."""


class Namespace(Described, tag="Namespace", kw_only=True):
    """A namespace; the application's own one is made by itself."""


class Service(Described, tag="Service", kw_only=True):
    """One name and port for the pods that it selects."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)


class HTTPRoute(Described, tag="HTTPRoute", kw_only=True):
    """Which requests of a gateway go to which service (Gateway API)."""

    spec: RouteSpec = field(default_factory=RouteSpec)


class GRPCRoute(Described, tag="GRPCRoute", kw_only=True):
    """Which gRPC calls of a gateway go to which service (Gateway API)."""

    spec: RouteSpec = field(default_factory=RouteSpec)


class Gateway(Described, tag="Gateway", kw_only=True):
    """Where requests come in (Gateway API)."""

    spec: GatewaySpec


class Ingress(Described, tag="Ingress", kw_only=True):
    """Which requests go to which service, for clusters without Gateway API."""

    spec: IngressSpec = field(default_factory=IngressSpec)


class ConfigMap(Described, tag="ConfigMap", kw_only=True):
    """Settings that are no secret."""

    data: Texts | None = None
    binary_data: Texts | None = None
    immutable: bool | None = None


class Secret(Described, tag="Secret", kw_only=True):
    """Settings that nobody may read. `values` are plain here and base64 in the manifest."""

    values: Texts | None = None
    string_data: Texts | None = None
    data: Texts | None = None
    """As in a manifest: base64 already."""
    secret_type: str | None = None
    immutable: bool | None = None


class NetworkPolicy(Described, tag="NetworkPolicy", kw_only=True):
    """Who may talk to the pods that it selects, and to whom they may."""

    spec: NetworkPolicySpec = field(default_factory=NetworkPolicySpec)


class ObjectRef(Strict):
    """A Secret of a service account."""

    name: str


class ServiceAccount(Described, tag="ServiceAccount", kw_only=True):
    """Who pods are towards the Kubernetes API."""

    automount_service_account_token: bool | None = None
    image_pull_secrets: list[ObjectRef] | None = None
    secrets: list[ObjectRef] | None = None


class Rule(Strict):
    """What may be done with which resources."""

    verbs: list[str]
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    non_resource_urls: list[str] | None = field(default=None, name="nonResourceURLs")


class Role(Described, tag="Role", kw_only=True):
    """Rights within a namespace."""

    rules: list[Rule] = field(default_factory=list)


class RoleRef(Strict):
    """The role that is given."""

    kind: Literal["Role", "ClusterRole"]
    name: str
    api_group: str | None = None


class Subject(Strict):
    """Who gets a role."""

    kind: Literal["ServiceAccount", "User", "Group"]
    name: str
    namespace: str | None = None
    api_group: str | None = None


class RoleBinding(Described, tag="RoleBinding", kw_only=True):
    """Gives a role to accounts."""

    role_ref: RoleRef
    subjects: list[Subject] | None = None


class ScopeRequirement(Strict):
    """One condition on what a quota counts."""

    scope_name: str
    operator: str
    values: list[str] | None = None


class ScopeSelector(Strict):
    """What a quota counts."""

    match_expressions: list[ScopeRequirement] | None = None


class ResourceQuotaSpec(Strict):
    """The most that a namespace may use."""

    hard: dict[str, Amount] | None = None
    scopes: list[str] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuota(Described, tag="ResourceQuota", kw_only=True):
    """The most that the whole namespace may use."""

    spec: ResourceQuotaSpec = field(default_factory=ResourceQuotaSpec)


class LimitItem(Strict):
    """Limits and defaults for one type of thing."""

    type: Literal["Container", "Pod", "PersistentVolumeClaim"]
    default: dict[str, Amount] | None = None
    default_request: dict[str, Amount] | None = None
    min: dict[str, Amount] | None = None
    max: dict[str, Amount] | None = None
    max_limit_request_ratio: dict[str, Amount] | None = None


class LimitRangeSpec(Strict):
    """Limits for single containers, pods and claims."""

    limits: list[LimitItem]


class LimitRange(Described, tag="LimitRange", kw_only=True):
    """What a container gets that says nothing itself."""

    spec: LimitRangeSpec


class ScaleTarget(Strict):
    """The workload that grows and shrinks."""

    kind: str
    name: str
    api_version: str | None = None


class HpaSpec(Strict):
    """When there are more pods, and when fewer."""

    scale_target_ref: ScaleTarget
    max_replicas: Count
    min_replicas: Count | None = None
    metrics: list[dict[str, object]] | None = None
    behavior: dict[str, object] | None = None


class HorizontalPodAutoscaler(Described, tag="HorizontalPodAutoscaler", kw_only=True):
    """More pods when they are busy."""

    spec: HpaSpec


class PdbSpec(Strict):
    """How many pods may be missing while nodes are emptied."""

    selector: Selector | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    unhealthy_pod_eviction_policy: Literal["AlwaysAllow", "IfHealthyBudget"] | None = None


class PodDisruptionBudget(Described, tag="PodDisruptionBudget", kw_only=True):
    """How many pods may be missing while nodes are emptied."""

    spec: PdbSpec = field(default_factory=PdbSpec)


class VolumeRequests(Strict):
    """The size of a disk."""

    requests: dict[str, Amount] | None = None
    limits: dict[str, Amount] | None = None


class DataSource(Strict):
    """What a new disk begins with."""

    kind: str
    name: str
    api_group: str | None = None
    namespace: str | None = None


class PvcSpec(Strict):
    """The disk that is wanted."""

    access_modes: list[str] | None = None
    resources: VolumeRequests | None = None
    storage_class_name: str | None = None
    volume_attributes_class_name: str | None = None
    volume_mode: Literal["Filesystem", "Block"] | None = None
    volume_name: str | None = None
    selector: Selector | None = None
    data_source: DataSource | None = None
    data_source_ref: DataSource | None = None


class PersistentVolumeClaim(Described, tag="PersistentVolumeClaim", kw_only=True):
    """A disk that outlives the pods."""

    spec: PvcSpec = field(default_factory=PvcSpec)


class PersistentVolume(Described, tag="PersistentVolume", kw_only=True):
    """A disk that an administrator provides."""

    spec: dict[str, object] = field(default_factory=dict)


class VolumeAttributesClass(Described, tag="VolumeAttributesClass", kw_only=True):
    """Attributes of disks that can change while they are used."""

    driver_name: str
    parameters: Texts | None = None


class RuntimeScheduling(Strict):
    """Nodes that know the runtime."""

    node_selector: Texts | None = None
    tolerations: list[Toleration] | None = None


class Overhead(Strict):
    """What the runtime itself needs for each pod."""

    pod_fixed: dict[str, Amount] | None = None


class RuntimeClass(Described, tag="RuntimeClass", kw_only=True):
    """Another way to run containers, such as gVisor."""

    handler: str
    overhead: Overhead | None = None
    scheduling: RuntimeScheduling | None = None


class IssuerRef(Strict):
    """Who signs a certificate."""

    name: str
    kind: Literal["Issuer", "ClusterIssuer"] | None = None
    group: str | None = None


class CertificateSpec(Strict):
    """The names that a certificate is for, and where it is kept."""

    secret_name: str
    issuer_ref: IssuerRef
    dns_names: list[str] | None = None
    common_name: str | None = None
    duration: str | None = None
    renew_before: str | None = None
    usages: list[str] | None = None
    private_key: dict[str, object] | None = None


class Certificate(Described, tag="Certificate", kw_only=True):
    """A certificate that cert-manager gets and renews."""

    spec: CertificateSpec


class Issuer(Described, tag="Issuer", kw_only=True):
    """Who signs certificates of this namespace (cert-manager)."""

    spec: dict[str, object] = field(default_factory=dict)


class ClusterIssuer(Described, tag="ClusterIssuer", kw_only=True):
    """Who signs certificates of the whole cluster (cert-manager)."""

    spec: dict[str, object] = field(default_factory=dict)


class TargetRef(Strict):
    """What a policy is attached to."""

    group: str
    kind: str
    name: str
    section_name: str | None = None


class BackendTrafficPolicySpec(Strict):
    """How Envoy Gateway treats the requests of a route."""

    target_refs: list[TargetRef] | None = None
    rate_limit: dict[str, object] | None = None


class BackendTrafficPolicy(Described, tag="BackendTrafficPolicy", kw_only=True):
    """A rate limit of Envoy Gateway."""

    spec: BackendTrafficPolicySpec = field(default_factory=BackendTrafficPolicySpec)


class Middleware(Described, tag="Middleware", kw_only=True):
    """A rate limit (and more) of Traefik."""

    spec: dict[str, object] = field(default_factory=dict)


class Manifest(Strict, tag_field="type", tag="Manifest", kw_only=True):
    """The escape hatch: any other object, exactly as it is written."""

    manifest: dict[str, object]
    id: str = ""


Resource = (
    Namespace | Service | HTTPRoute | GRPCRoute | Gateway | Ingress | ConfigMap | Secret
    | NetworkPolicy | ServiceAccount | Role | RoleBinding | ResourceQuota | LimitRange
    | HorizontalPodAutoscaler | PodDisruptionBudget | PersistentVolumeClaim | PersistentVolume
    | VolumeAttributesClass | RuntimeClass | Certificate | Issuer | ClusterIssuer
    | BackendTrafficPolicy | Middleware | Manifest
)  # fmt: skip
