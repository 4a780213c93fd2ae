"""Whether the application survives the loss of a pod, a node or a zone."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Profile, W, settings
from windlass.charts.checks.views import Object, Pod, Table, get, listed, table, tables
from windlass.charts.checks.world import fits, replicas
from windlass.charts.rules.examples import deployment

DOCS = "https://kubernetes.io/docs/concepts/scheduling-eviction/"
rule = settings(group="availability", references=(DOCS,))
KINDS = "Deployment StatefulSet"
ANTI = """\
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              app: app
"""
SPREAD = """\
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: {0}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        app: app
"""


@rule(
    "replicas",
    "One pod only",
    severity=W,
    profiles={Profile.baseline: I, Profile.lab: None},
    kinds="Deployment",
    why="While its node is drained, or its pod starts anew, nobody answers.",
    how="Set `replicas` to 2 or more, or add a HorizontalPodAutoscaler.",
    bad=deployment("replicas: 1"),
    good=deployment("replicas: 2"),
)
def one_replica(owner: Object) -> Iterator[Found]:
    if owner.world.scaler_of(owner) is None and replicas(owner) == 1:
        yield owner.found("it has one pod", "spec", "replicas")


@rule(
    "anti-affinity",
    "Several pods, and nothing keeps them on different nodes",
    severity=I,
    profiles={Profile.production: W, Profile.lab: None},
    kinds=KINDS,
    why="The scheduler may put all of them on one node; when it fails, all are gone.",
    how="Add topologySpreadConstraints or a preferred podAntiAffinity over kubernetes.io/hostname.",
    bad=deployment("replicas: 3"),
    good=deployment("replicas: 3", pod=ANTI),
)
def anti_affinity(owner: Object) -> Iterator[Found]:
    pod = owner.pod
    if pod is None or _count(owner) < 2 or any(tables(pod.spec.get("topologySpreadConstraints"))):
        return
    terms = list(_terms(pod))
    if not terms:
        yield pod.found("nothing keeps its pods on different nodes", "affinity")
    elif not any(_keeps_away(pod, one) for one in terms):
        what = "its podAntiAffinity does not fit the pod's own labels"
        yield pod.found(what, "affinity", "podAntiAffinity")


def _terms(pod: Pod) -> Iterator[Table]:
    """What the pod does not want to be beside."""
    anti = table(get(pod.spec, "affinity", "podAntiAffinity"))
    for _, one in tables(anti.get("requiredDuringSchedulingIgnoredDuringExecution")):
        yield one
    for _, one in tables(anti.get("preferredDuringSchedulingIgnoredDuringExecution")):
        yield table(one.get("podAffinityTerm"))


def _keeps_away(pod: Pod, term: Table) -> bool:
    """Whether it is the pod's like that the term is about."""
    spaces = listed(term.get("namespaces"))
    if spaces and pod.owner.namespace not in spaces and "namespaceSelector" not in term:
        return False
    return fits(table(term.get("labelSelector")), pod.labels)


def _count(owner: Object) -> int:
    scaler = owner.world.scaler_of(owner)
    most = scaler.spec.get("maxReplicas") if scaler is not None else None
    return most if isinstance(most, int) else replicas(owner)


@rule(
    "topology-spread-missing",
    "Nothing spreads the pods over zones",
    severity=I,
    optional=True,
    kinds=KINDS,
    why="When a zone fails, all pods may be in it.",
    how="Add topologySpreadConstraints over topology.kubernetes.io/zone.",
    bad=deployment("replicas: 3"),
    good=deployment("replicas: 3", pod=SPREAD.format("topology.kubernetes.io/zone")),
)
def topology_spread_missing(owner: Object) -> Iterator[Found]:
    if owner.pod is not None and not any(tables(owner.pod.spec.get("topologySpreadConstraints"))):
        yield owner.pod.found("there are no topologySpreadConstraints", "topologySpreadConstraints")


@rule(
    "topology-spread-invalid",
    "A spread constraint that counts no pod of its own",
    severity=E,
    kinds="Deployment StatefulSet ReplicaSet DaemonSet Job CronJob Pod",
    why="A constraint without key, or whose selector does not fit the pod itself, is refused or "
    "spreads nothing.",
    how="Set topologyKey, maxSkew of at least 1 and a labelSelector with the pod's own labels.",
    bad=deployment(
        "replicas: 3", pod=SPREAD.format("kubernetes.io/hostname").replace("app: app", "app: other")
    ),
    good=deployment("replicas: 3", pod=SPREAD.format("kubernetes.io/hostname")),
)
def topology_spread_invalid(owner: Object) -> Iterator[Found]:
    pod = owner.pod
    if pod is None:
        return
    for index, one in tables(pod.spec.get("topologySpreadConstraints")):
        at = ("topologySpreadConstraints", index)
        skew = one.get("maxSkew")
        if not one.get("topologyKey"):
            yield pod.found("a spread constraint has no topologyKey", *at)
        if not isinstance(skew, int) or skew < 1:
            yield pod.found("`maxSkew` must be at least 1", *at, "maxSkew")
        if one.get("minDomains") == 0:
            yield pod.found("`minDomains` must be at least 1", *at, "minDomains")
        if one.get("whenUnsatisfiable") not in ("DoNotSchedule", "ScheduleAnyway"):
            yield pod.found(
                "`whenUnsatisfiable` must be DoNotSchedule or ScheduleAnyway",
                *at,
                "whenUnsatisfiable",
            )
        selector = table(one.get("labelSelector"))
        if not selector:
            yield pod.found("a spread constraint without labelSelector counts no pod", *at)
        elif not fits(selector, pod.labels):
            yield pod.found(
                "its labelSelector does not fit the pod's own labels",
                *at,
                "labelSelector",
                severity=W,
            )


@rule(
    "node-affinity",
    "No node affinity",
    severity=I,
    optional=True,
    kinds="Deployment StatefulSet DaemonSet",
    why="Without it pods go to any node, also to those meant for something else.",
    how="Set `affinity.nodeAffinity`.",
    bad=deployment(),
    good=deployment(
        pod="affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n    "
        "  nodeSelectorTerms:\n"
        "        - matchExpressions:\n            - key: pool\n              operator: In\n       "
        "       values: [apps]\n"
    ),
)
def node_affinity(owner: Object) -> Iterator[Found]:
    if owner.pod is not None and not table(get(owner.pod.spec, "affinity", "nodeAffinity")):
        yield owner.pod.found("there is no node affinity", "affinity", "nodeAffinity")
