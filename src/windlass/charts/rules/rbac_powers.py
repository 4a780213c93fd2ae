"""Rights that are worth more than they look."""

from collections.abc import Callable, Iterator

from windlass.charts.checks.rule import Found, Function, I, Severity, W, rule
from windlass.charts.checks.views import Object, Table
from windlass.charts.rules.examples import role
from windlass.charts.rules.rbac import DOCS, ROLES, rules_of, words

READ = frozenset(("get", "list", "watch"))
WRITE = frozenset(("create", "update", "patch"))
WORKLOADS = frozenset(
    [
        "pods",
        "deployments",
        "daemonsets",
        "statefulsets",
        "replicasets",
        "jobs",
        "cronjobs",
        "replicationcontrollers",
    ]
)
RBAC = "rbac.authorization.k8s.io"


def may(
    one: Table,
    groups: set[str],
    resources: set[str] | frozenset[str],
    verbs: set[str] | frozenset[str],
) -> bool:
    """Whether a rule allows one of the verbs on one of the resources; wildcards count."""
    return (
        bool((groups | {"*"}) & words(one, "apiGroups"))
        and bool((resources | {"*"}) & words(one, "resources"))
        and bool((verbs | {"*"}) & words(one, "verbs"))
    )


def power(
    id: str,
    title: str,
    allows: Callable[[Table], bool],
    *,
    why: str,
    how: str,
    bad: str,
    good: str,
    severity: Severity = W,
) -> Function:
    """Declares a rule that finds each rule of a role which `allows` accepts."""
    what = title[0].lower() + title[1:]

    def check(owner: Object) -> Iterator[Found]:
        for index, one in rules_of(owner):
            if allows(one):
                yield owner.found(what, "rules", index)

    declare = rule(
        id, title, group="rbac", severity=severity, kinds=ROLES, why=why, how=how,
        bad=role(bad, kind="ClusterRole"), good=role(good, kind="ClusterRole"), references=(DOCS,),
    )  # fmt: skip
    return declare(check)


PODS = "{apiGroups: [''], resources: [pods], verbs: [get, list]}"

secrets = power(
    "rbac-secrets",
    "The role may read Secrets",
    lambda one: may(one, {""}, {"secrets"}, READ),
    why="Listing or watching Secrets is reading all of them: passwords, keys, tokens of every "
    "account.",
    how="Mount the Secret into the pod instead, or name single ones with resourceNames.",
    bad="{apiGroups: [''], resources: [secrets], verbs: [get, list]}",
    good=PODS,
)
create_pods = power(
    "rbac-create-pods",
    "The role may start pods",
    lambda one: may(one, {"", "apps", "batch"}, WORKLOADS, {"create"}),
    why="Who may start pods may run as any service account of the namespace and mount all its "
    "Secrets.",
    how="Leave it to the deployment tool's own account.",
    bad="{apiGroups: [apps], resources: [deployments], verbs: [create]}",
    good=PODS,
)
exec_ = power(
    "rbac-exec",
    "The role may get into running pods",
    lambda one: may(one, {""}, {"pods/exec", "pods/attach"}, {"create", "get"}),
    why="A command in a running pod has its identity, its Secrets and its network.",
    how="Remove pods/exec and pods/attach; logs are pods/log.",
    bad="{apiGroups: [''], resources: [pods/exec], verbs: [create]}",
    good="{apiGroups: [''], resources: [pods/log], verbs: [get]}",
)
nodes_proxy = power(
    "rbac-nodes-proxy",
    "The role may speak to kubelets",
    lambda one: may(one, {""}, {"nodes/proxy"}, {"get", "create"}),
    why="Through a node's kubelet commands run in every pod of that node, past audit log and "
    "admission.",
    how="Use nodes/metrics or nodes/stats.",
    bad="{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}",
    good="{apiGroups: [''], resources: [nodes/metrics], verbs: [get]}",
)
bind = power(
    "rbac-bind",
    "The role may give out roles",
    lambda one: (
        may(one, {RBAC}, {"roles", "clusterroles"}, {"bind"})
        or may(one, {RBAC}, {"rolebindings", "clusterrolebindings"}, WRITE)
    ),
    why="Who may bind roles may give himself more rights, with `bind` even those that he does not "
    "have.",
    how="Leave bindings to administrators.",
    bad=f"{{apiGroups: [{RBAC}], resources: [rolebindings], verbs: [create]}}",
    good=f"{{apiGroups: [{RBAC}], resources: [rolebindings], verbs: [get, list]}}",
)
escalate = power(
    "rbac-escalate",
    "The role may change roles",
    lambda one: may(one, {RBAC}, {"roles", "clusterroles"}, {"escalate", *WRITE}),
    why="Who may change roles may change his own; `escalate` allows it beyond the rights that he "
    "has.",
    how="Leave roles to administrators.",
    bad=f"{{apiGroups: [{RBAC}], resources: [roles], verbs: [escalate]}}",
    good=f"{{apiGroups: [{RBAC}], resources: [roles], verbs: [get]}}",
)
impersonate = power(
    "rbac-impersonate",
    "The role may act as somebody else",
    lambda one: may(
        one,
        {"", "authentication.k8s.io"},
        {"users", "groups", "serviceaccounts", "userextras"},
        {"impersonate"},
    ),
    why="Impersonation passes every other limit: the administrator can be impersonated as well.",
    how="Remove `impersonate`.",
    bad="{apiGroups: [''], resources: [users], verbs: [impersonate]}",
    good="{apiGroups: [''], resources: [serviceaccounts], verbs: [get]}",
)
webhooks = power(
    "rbac-webhooks",
    "The role may change admission webhooks",
    lambda one: may(
        one,
        {"admissionregistration.k8s.io"},
        {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"},
        WRITE,
    ),
    why="A webhook sees and may change every object that is written, Secrets among them.",
    how="Leave webhooks to administrators.",
    bad="{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], "
    "verbs: [update]}",
    good="{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], "
    "verbs: [get]}",
)
csr = power(
    "rbac-csr",
    "The role may sign certificates",
    lambda one: may(
        one,
        {"certificates.k8s.io"},
        {"certificatesigningrequests/approval", "certificatesigningrequests/status", "signers"},
        {"approve", "sign", *WRITE},
    ),
    why="A signed certificate is an identity: of any user, and of system:masters.",
    how="Leave signing to the cluster's own controllers.",
    bad="{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], "
    "verbs: [update]}",
    good="{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: "
    "[create]}",
)
service_status = power(
    "rbac-service-status",
    "The role may set the address of Services",
    lambda one: may(one, {""}, {"services/status"}, {"update", "patch"}),
    why="With a Service's status one can claim addresses and catch traffic that is meant for "
    "others (CVE-2020-8554).",
    how="Remove services/status.",
    bad="{apiGroups: [''], resources: [services/status], verbs: [patch]}",
    good="{apiGroups: [''], resources: [services], verbs: [get]}",
)
config_logs = power(
    "rbac-config-logs",
    "The role may change settings or remove traces",
    lambda one: (
        may(one, {""}, {"configmaps"}, {*WRITE, "delete", "deletecollection"})
        or may(
            one, {""}, {"events", "pods/log"}, {"delete", "deletecollection", *(WRITE - {"create"})}
        )
        or may(one, {"", "networking.k8s.io"}, {"networkpolicies", "endpoints", "ingresses"}, WRITE)
    ),
    why="ConfigMaps steer applications, deleted events hide what happened, network objects lead "
    "traffic elsewhere.",
    how="Name single objects with resourceNames, or leave it out.",
    bad="{apiGroups: [''], resources: [configmaps], verbs: [update]}",
    good="{apiGroups: [''], resources: [configmaps], verbs: [get]}",
    severity=I,
)
