"""Services, routes, gateways and network policies (K-076, K-082, K-083, K-085)."""

from typing import Annotated, Literal

from msgspec import Meta, field

from windlass.charts.model.containers import Count, Header, Port, Strict, Texts
from windlass.charts.model.pods import Selector


class ServicePort(Strict):
    """A port of a service and the port of the pods behind it."""

    port: Port
    name: str | None = None
    target_port: int | str | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None
    app_protocol: str | None = None
    node_port: Port | None = None


class ServiceSpec(Strict):
    """One name and port for the pods that it selects."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] | None = None
    selector: Texts | None = None
    ports: list[ServicePort] | None = None
    cluster_ip: str | None = field(default=None, name="clusterIP")
    external_name: str | None = None
    external_ips: list[str] | None = field(default=None, name="externalIPs")
    external_traffic_policy: Literal["Cluster", "Local"] | None = None
    internal_traffic_policy: Literal["Cluster", "Local"] | None = None
    ip_families: list[str] | None = None
    ip_family_policy: str | None = None
    load_balancer_class: str | None = None
    load_balancer_ip: str | None = field(default=None, name="loadBalancerIP")
    load_balancer_source_ranges: list[str] | None = None
    publish_not_ready_addresses: bool | None = None
    session_affinity: Literal["ClientIP", "None"] | None = None
    traffic_distribution: str | None = None


class ParentRef(Strict):
    """The gateway that a route belongs to."""

    name: str
    namespace: str | None = None
    section_name: str | None = None
    port: Port | None = None
    group: str | None = None
    kind: str | None = None


class PathMatch(Strict):
    """Which paths, or which text of them."""

    value: str
    type: Literal["Exact", "PathPrefix", "RegularExpression"] | None = None


class NamedMatch(Strict):
    """Which value of a header or of a query parameter."""

    name: str
    value: str
    type: Literal["Exact", "RegularExpression"] | None = None


class MethodMatch(Strict):
    """Which gRPC calls."""

    service: str | None = None
    method: str | None = None
    type: Literal["Exact", "RegularExpression"] | None = None


class RouteMatch(Strict):
    """Which requests: all conditions must hold."""

    path: PathMatch | None = None
    headers: list[NamedMatch] | None = None
    query_params: list[NamedMatch] | None = None
    method: str | MethodMatch | None = None


class HeaderChange(Strict):
    """Headers that are set, added or taken away."""

    set: list[Header] | None = None
    add: list[Header] | None = None
    remove: list[str] | None = None


class PathChange(Strict):
    """Another path."""

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: str | None = None
    replace_prefix_match: str | None = None


class Redirect(Strict):
    """Sends the visitor elsewhere."""

    scheme: Literal["http", "https"] | None = None
    hostname: str | None = None
    path: PathChange | None = None
    port: Port | None = None
    status_code: int | None = None


class Rewrite(Strict):
    """Another host or path for the service."""

    hostname: str | None = None
    path: PathChange | None = None


class BackendRef(Strict):
    """A service, and its share of the requests."""

    name: str
    port: Port | None = None
    weight: Count | None = None
    namespace: str | None = None
    group: str | None = None
    kind: str | None = None
    filters: "list[RouteFilter] | None" = None


class Mirror(Strict):
    """A copy of the requests for another service."""

    backend_ref: BackendRef
    percent: Annotated[int, Meta(ge=0, le=100)] | None = None


class ExtensionRef(Strict):
    """A filter of the gateway's own kind."""

    group: str
    kind: str
    name: str


class RouteFilter(Strict):
    """What happens to a request on its way."""

    type: str
    request_header_modifier: HeaderChange | None = None
    response_header_modifier: HeaderChange | None = None
    request_redirect: Redirect | None = None
    url_rewrite: Rewrite | None = None
    request_mirror: Mirror | None = None
    extension_ref: ExtensionRef | None = None


class RouteTimeouts(Strict):
    """How long a request may take."""

    request: str | None = None
    backend_request: str | None = None


class RouteRule(Strict):
    """Which requests go where."""

    name: str | None = None
    matches: list[RouteMatch] | None = None
    filters: list[RouteFilter] | None = None
    backend_refs: list[BackendRef] | None = None
    timeouts: RouteTimeouts | None = None


class RouteSpec(Strict):
    """Which requests of a gateway go to which services."""

    parent_refs: list[ParentRef] | None = None
    hostnames: list[str] | None = None
    rules: list[RouteRule] | None = None


class SecretRef(Strict):
    """A certificate's secret."""

    name: str
    kind: str | None = None
    group: str | None = None
    namespace: str | None = None


class GatewayTls(Strict):
    """Which certificate a listener shows."""

    mode: Literal["Terminate", "Passthrough"] | None = None
    certificate_refs: list[SecretRef] | None = None
    options: Texts | None = None


class Listener(Strict):
    """A port of a gateway."""

    name: str
    port: Port
    protocol: str
    hostname: str | None = None
    tls: GatewayTls | None = None
    allowed_routes: dict[str, object] | None = None


class GatewaySpec(Strict):
    """Where requests come in."""

    gateway_class_name: str
    listeners: list[Listener]
    addresses: list[dict[str, object]] | None = None
    infrastructure: dict[str, object] | None = None


class IngressPort(Strict):
    """A service's port, by name or by number."""

    name: str | None = None
    number: Port | None = None


class IngressService(Strict):
    """A service."""

    name: str
    port: IngressPort | None = None


class IngressBackend(Strict):
    """Where requests go."""

    service: IngressService | None = None
    resource: dict[str, object] | None = None


class IngressPath(Strict):
    """Which paths go where."""

    path_type: Literal["Exact", "Prefix", "ImplementationSpecific"]
    backend: IngressBackend
    path: str | None = None


class IngressHttp(Strict):
    """The paths of a host."""

    paths: list[IngressPath]


class IngressRule(Strict):
    """One host."""

    host: str | None = None
    http: IngressHttp | None = None


class IngressTls(Strict):
    """Hosts that share a certificate."""

    hosts: list[str] | None = None
    secret_name: str | None = None


class IngressSpec(Strict):
    """Which requests go to which services."""

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: list[IngressTls] | None = None
    rules: list[IngressRule] | None = None


class IpBlock(Strict):
    """Addresses."""

    cidr: str
    except_: list[str] | None = field(default=None, name="except")


class Peer(Strict):
    """Pods or addresses that may be talked to."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(Strict):
    """A port that may be talked to."""

    port: int | str | None = None
    end_port: Port | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None


class IngressPolicyRule(Strict):
    """Who may come in."""

    from_: list[Peer] | None = field(default=None, name="from")
    ports: list[PolicyPort] | None = None


class EgressPolicyRule(Strict):
    """Where one may go."""

    to: list[Peer] | None = None
    ports: list[PolicyPort] | None = None


class NetworkPolicySpec(Strict):
    """Who may talk to the pods that it selects, and to whom they may."""

    pod_selector: Selector | None = None
    policy_types: list[Literal["Ingress", "Egress"]] | None = None
    ingress: list[IngressPolicyRule] | None = None
    egress: list[EgressPolicyRule] | None = None
