"""What nobody has to say: objects that workloads need, made when the form lacks them (K-090)."""

from collections.abc import Iterator

from windlass.charts.generate import names, traffic
from windlass.charts.generate.workloads import replicas
from windlass.charts.model import Application, Resource, Workload
from windlass.charts.model import networking as net
from windlass.charts.model import resources as res
from windlass.charts.model.containers import Amount
from windlass.charts.model.pods import Selector

_PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
_PRIVATE_6 = ["fc00::/7", "fe80::/10"]
_NODE_LOCAL_DNS = "169.254.20.10/32"


def resources(app: Application) -> Iterator[Resource]:
    """Everything that is made by itself. Whoever calls leaves out what the form has already."""
    yield from _namespace(app)
    yield from _quota(app)
    yield from _account(app)
    for workload in app.workloads:
        yield from _disks(workload)
        yield from _service(app, workload)
        yield from _scaling(app, workload)
    yield from traffic.resources(app)
    yield from _policies(app)


def _namespace(app: Application) -> Iterator[Resource]:
    if app.namespace != "default":
        level = app.pod_security
        prefix = "pod-security.kubernetes.io"
        labels = {f"{prefix}/enforce": level, f"{prefix}/warn": level}
        yield res.Namespace(name=app.namespace, labels=labels)


def _quota(app: Application) -> Iterator[Resource]:
    if app.quota is None:
        return
    wanted: dict[str, Amount | None] = {
        "requests.cpu": app.quota.requests_cpu,
        "requests.memory": app.quota.requests_memory,
        "limits.cpu": app.quota.limits_cpu,
        "limits.memory": app.quota.limits_memory,
        "requests.storage": app.quota.requests_storage,
        "persistentvolumeclaims": app.quota.persistent_volume_claims,
        "pods": app.quota.pods,
    }
    # The API writes counts as text, too.
    hard: dict[str, Amount] = {key: str(one) for key, one in wanted.items() if one is not None}
    if hard:
        name = names.application(app)
        yield res.ResourceQuota(name=name, spec=res.ResourceQuotaSpec(hard=hard))


def _account(app: Application) -> Iterator[Resource]:
    if all(one.pod.service_account_name is not None for one in app.workloads):
        return
    name = names.application(app)
    reads_logs = app.access is None or app.access.logs
    runs_commands = app.access is not None and app.access.exec
    yield res.ServiceAccount(name=name, automount_service_account_token=False)
    rules: list[res.Rule] = []
    if reads_logs:
        verbs = ["get", "list", "watch"]
        rules.append(res.Rule(verbs=verbs, api_groups=[""], resources=["pods", "pods/log"]))
    if runs_commands:
        rules.append(res.Rule(verbs=["create"], api_groups=[""], resources=["pods/exec"]))
    if rules:
        yield res.Role(name=name, rules=rules)
        yield res.RoleBinding(
            name=name,
            role_ref=res.RoleRef(kind="Role", name=name, api_group="rbac.authorization.k8s.io"),
            subjects=[res.Subject(kind="ServiceAccount", name=name, namespace=app.namespace)],
        )


def _disks(workload: Workload) -> Iterator[Resource]:
    if workload.type == "StatefulSet":
        return
    for disk in workload.storage:
        yield res.PersistentVolumeClaim(
            name=names.joined(workload.name, disk.name),
            spec=res.PvcSpec(
                access_modes=[disk.access_mode],
                resources=res.VolumeRequests(requests={"storage": disk.size}),
                storage_class_name=disk.storage_class,
            ),
        )


def _service(app: Application, workload: Workload) -> Iterator[Resource]:
    ports = [
        net.ServicePort(
            name=one.name, port=one.container_port, target_port=one.name, protocol=one.protocol
        )
        for one in names.ports(workload)
    ]
    selector = names.identity(workload)
    if workload.selector and workload.selector.match_labels:
        selector = workload.selector.match_labels
    if workload.type == "StatefulSet" and workload.stateful_set.service_name is None:
        yield res.Service(
            name=names.joined(workload.name, "pods"),
            spec=net.ServiceSpec(
                cluster_ip="None",
                selector=selector,
                ports=ports or None,
                publish_not_ready_addresses=True,
            ),
        )
    if ports and traffic.own_service(app, workload) is None:
        spec = net.ServiceSpec(type="ClusterIP", selector=selector, ports=ports)
        yield res.Service(name=workload.name, spec=spec)


def _scaling(app: Application, workload: Workload) -> Iterator[Resource]:
    if workload.autoscale and workload.type in names.SCALED:
        metric: dict[str, object] = {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {
                    "type": "Utilization",
                    "averageUtilization": workload.autoscale.cpu_percent,
                },
            },
        }
        yield res.HorizontalPodAutoscaler(
            name=workload.name,
            spec=res.HpaSpec(
                scale_target_ref=res.ScaleTarget(
                    api_version="apps/v1", kind=workload.type, name=workload.name
                ),
                min_replicas=workload.autoscale.min,
                max_replicas=workload.autoscale.max,
                metrics=[metric],
            ),
        )
    if (replicas(app, workload) or 0) >= 2:
        yield res.PodDisruptionBudget(
            name=workload.name,
            spec=res.PdbSpec(
                selector=workload.selector or Selector(match_labels=names.identity(workload)),
                max_unavailable=1,
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
        )


def _policies(app: Application) -> Iterator[Resource]:
    network = app.network
    if network is not None and not network.isolate:
        return
    everybody = [net.Peer(pod_selector=Selector())]
    dns = net.EgressPolicyRule(
        to=[
            net.Peer(namespace_selector=Selector()),
            net.Peer(ip_block=net.IpBlock(cidr=_NODE_LOCAL_DNS)),
        ],
        ports=[net.PolicyPort(port=53, protocol="UDP"), net.PolicyPort(port=53, protocol="TCP")],
    )
    egress = [dns, net.EgressPolicyRule(to=everybody)]
    if network is None or network.internet:
        public = [
            net.Peer(ip_block=net.IpBlock(cidr="0.0.0.0/0", except_=_PRIVATE)),
            net.Peer(ip_block=net.IpBlock(cidr="::/0", except_=_PRIVATE_6)),
        ]
        egress.append(net.EgressPolicyRule(to=public))
    label = "app.kubernetes.io/part-of"
    yield res.NetworkPolicy(
        name=names.application(app),
        spec=net.NetworkPolicySpec(
            pod_selector=Selector(match_labels={label: names.application(app)}),
            policy_types=["Ingress", "Egress"],
            ingress=[net.IngressPolicyRule(from_=everybody)],
            egress=egress,
        ),
    )
    for workload, ports, peers in traffic.reached(app):
        allowed = [
            net.PolicyPort(port=one.container_port, protocol=one.protocol or "TCP") for one in ports
        ]
        yield res.NetworkPolicy(
            name=names.joined(workload.name, "public"),
            spec=net.NetworkPolicySpec(
                pod_selector=workload.selector or Selector(match_labels=names.identity(workload)),
                policy_types=["Ingress"],
                ingress=[net.IngressPolicyRule(from_=peers, ports=allowed)],
            ),
        )
