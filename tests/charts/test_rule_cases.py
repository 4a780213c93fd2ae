"""Decisions of rules that their two examples do not show: each line is a case and its answer."""

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Options
from windlass.charts.documents import read

POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, labels: {{app: a}}}}\nspec: {{{0}}}\n"
WORKLOAD = """\
apiVersion: apps/v1
kind: {0}
metadata: {{name: a}}
spec:
  template: {{metadata: {{labels: {{app: a}}}}, spec: {{{2}containers: [{{name: c}}]}}}}
  {1}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: s}}
spec: {{clusterIP: None, selector: {{app: {0}}}}}
"""
ANTI = (
    "affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: "
    "[{{topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: {0}}}}}}}]}}}}, "
)
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: '{0}'}}
rules: [{{apiGroups: ['*'], resources: ['*'], verbs: {1}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: '{2}'}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: '{0}'}}
"""
SEVEN = "[get, list, watch, create, update, patch, delete]"
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: a}}
spec: {{maxUnavailable: 1{0}, selector: {{matchLabels: {{app: a}}}}}}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {matchLabels: {app: a}}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: x}\n"
FROM = (
    "containers: [{{name: c, env: [{{name: X, "
    "valueFrom: {{secretKeyRef: {{name: s, key: {0}}}}}}}]}}]"
)
MONITOR = """\
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: m}}
spec: {{namespaceSelector: {{matchNames: [{0}]}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: s, namespace: there}}
"""
SPREAD = (
    "topologySpreadConstraints: [{{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule,"
    " minDomains: {0}, labelSelector: {{matchLabels: {{app: a}}}}}}], containers: [{{name: c}}]"
)
ASKED = "containers: [{name: c, image: 'a:1', ports: [{containerPort: 80}]}]"

CASES: list[tuple[str, str, bool]] = [
    ("anti-affinity", WORKLOAD.format("Deployment", "replicas: 3", ANTI.format("a")), False),
    ("anti-affinity", WORKLOAD.format("Deployment", "replicas: 3", ANTI.format("b")), True),
    ("topology-spread-invalid", POD.format(SPREAD.format(2)), False),
    ("topology-spread-invalid", POD.format(SPREAD.format(0)), True),
    (
        "statefulset-service",
        WORKLOAD.format("StatefulSet", "serviceName: s", "") + "---\n" + SERVICE.format("a"),
        False,
    ),
    (
        "statefulset-service",
        WORKLOAD.format("StatefulSet", "serviceName: s", "") + "---\n" + SERVICE.format("b"),
        True,
    ),
    ("rbac-cluster-admin", ROLE.format("all", SEVEN, "all"), True),
    ("rbac-cluster-admin", ROLE.format("all", "[get, list]", "all"), False),
    ("rbac-cluster-admin", ROLE.format("system:all", "['*']", "mine"), True),
    ("rbac-cluster-admin", ROLE.format("system:all", "['*']", "system:all"), False),
    ("rbac-wildcard", ROLE.format("system:all", "['*']", "mine"), False),
    ("rbac-wildcard", ROLE.format("all", "['*']", "mine"), True),
    ("rbac-secrets", ROLE.format("cluster-admin", "['*']", "mine"), False),
    ("pdb-unhealthy-policy", BUDGET.format(""), True),
    ("pdb-unhealthy-policy", BUDGET.format(", unhealthyPodEvictionPolicy: IfHealthyBudget"), False),
    ("netpol-dangling", POLICY, True),
    ("netpol-dangling", POLICY + "---\n" + POD.format("containers: [{name: c}]"), False),
    ("env-from-missing", SECRET + "---\n" + POD.format(FROM.format("key")), False),
    ("env-from-missing", SECRET + "---\n" + POD.format(FROM.format("other")), True),
    ("servicemonitor-dangling", MONITOR.format("there"), False),
    ("servicemonitor-dangling", MONITOR.format("elsewhere"), True),
    ("readiness-probe", POD.format(ASKED), True),
    ("readiness-probe", POD.format(ASKED) + "---\n" + SERVICE.format("a"), True),
    ("readiness-probe", POD.format(ASKED) + "---\n" + SERVICE.format("b"), False),
]


def test_each_case_is_decided_as_it_says() -> None:
    for rule, text, is_found in CASES:
        report = engine.check([read(text)], Options(only=frozenset([rule])))
        found = [one.rule for one in report.findings]
        assert found == ([rule] * len(found) if is_found else []), (rule, text)
        assert bool(found) is is_found, (rule, text)


OWN = "apiVersion: {0}\nkind: {1}\nmetadata: {{name: a}}\n"
KINDS = [
    ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "no-schema", "info"),
    ("example.com/v1", "Widget", "no-schema", "info"),
    ("cert-manager.io/v1", "Certificat", "no-schema", "warning"),
    ("gateway.networking.k8s.io/v1alpha2", "HTTPRoute", "no-schema", "warning"),
    ("apps/v1", "Deploymnt", "schema", "error"),
    ("foo", "Bar", "schema", "error"),
]


def test_a_kind_that_nobody_describes_is_said_and_one_that_cannot_be_is_refused() -> None:
    for version, kind, rule, severity in KINDS:
        options = Options(only=frozenset(["schema", "no-schema"]))
        found = engine.check([read(OWN.format(version, kind))], options).findings
        assert [(one.rule, one.severity) for one in found] == [(rule, severity)], kind
