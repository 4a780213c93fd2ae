"""The whole form: what is said once for everything, the workloads and the resources (K-077)."""

from typing import Literal

from msgspec import field

from windlass.charts.model.containers import Amount, Count, Positive, Strict, Texts
from windlass.charts.model.resources import Resource
from windlass.charts.model.workloads import Workload


class Quota(Strict):
    """The most that the namespace may use; nothing set, nothing made (K-086)."""

    requests_cpu: Amount | None = None
    requests_memory: Amount | None = None
    limits_cpu: Amount | None = None
    limits_memory: Amount | None = None
    requests_storage: Amount | None = None
    persistent_volume_claims: Count | None = None
    pods: Count | None = None


class GatewayChoice(Strict):
    """The gateway that shows the application. With `className`, one of its own is made."""

    name: str = "gateway"
    namespace: str | None = "gateway-system"
    """Where the gateway and its proxies are; the network policy lets requests in from there."""
    section_name: str | None = None
    """One listener of it. Left out: all."""
    class_name: str | None = None
    """The GatewayClass of a gateway of its own, with the certificate."""


class CertificateChoice(Strict):
    """A certificate for the domain, made by cert-manager (K-088)."""

    email: str | None = None
    """Where Let's Encrypt writes when a certificate is about to end."""
    issuer: Literal["staging", "production"] = "production"
    cluster_issuer: str | None = None
    """A ClusterIssuer that exists already, instead of Let's Encrypt."""


class Access(Strict):
    """What the workloads' account may do with the pods of the namespace (K-080, D-59)."""

    logs: bool = True
    exec: bool = False
    token: bool = False
    """Whether pods get the account's token at all."""


class Network(Strict):
    """Who may talk to whom (K-085)."""

    isolate: bool = True
    """A NetworkPolicy: inside the namespace, from the gateway, names, and what is said here."""
    internet: bool = True
    """Out to public addresses; never to private ones and not to the cloud's metadata."""


class Application(Strict):
    """A form (K-077). What it leaves out gets safe values, unless `defaults` is `none`."""

    name: str = ""
    """What belongs together is labelled with it. Empty: the namespace."""
    namespace: str = "default"
    """Where everything goes; it is made first, unless it is `default`."""
    environment: Literal["production", "staging", "preview"] = "production"
    """Two pods, or one in a preview, where a workload does not say."""
    domain: str | None = None
    """The host name that shows the application. Left out: nothing is shown."""
    routing: Literal["gateway", "ingress"] = "gateway"
    """A route of the Gateway API, or an Ingress."""
    gateway: GatewayChoice | None = None
    """Left out: `gateway` in `gateway-system`."""
    ingress_class: str | None = None
    """The controller of the Ingress. Left out: the cluster's usual one."""
    requests_per_second: Positive | None = None
    """At most so many, for everything that the domain shows."""
    rate_limiter: Literal["envoy-gateway", "ingress-nginx", "traefik"] | None = None
    """What the cluster has. Left out: Envoy Gateway, or ingress-nginx with an Ingress."""
    quota: Quota | None = None
    """Left out: none."""
    certificate: CertificateChoice | None = None
    """Left out: none."""
    access: Access | None = None
    """Left out: an account without a token that may read logs."""
    network: Network | None = None
    """Left out: a wall around the namespace, open to the gateway and to the internet."""
    pod_security: Literal["restricted", "baseline", "privileged"] = "restricted"
    """What the generated namespace admits."""
    defaults: Literal["secure", "none"] = "secure"
    """`none`: exactly what is written here, nothing is added and nothing is generated."""
    labels: Texts | None = None
    """Labels of everything that is made."""
    workloads: list[Workload] = field(default_factory=list)
    """What runs; at least one."""
    resources: list[Resource] = field(default_factory=list)
    """Everything else, and what replaces a generated object."""
