"""PodDisruptionBudgets: how many pods a drain may take at once."""

from collections.abc import Iterator

from windlass.charts.checks.rule import Found, I, Profile, Set, W, settings
from windlass.charts.checks.views import Object, table, whole
from windlass.charts.checks.world import replicas
from windlass.charts.rules.examples import deployment, object_, together

DOCS = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
rule = settings(group="availability", severity=W, kinds="PodDisruptionBudget", references=(DOCS,))
SELECTOR = "  selector:\n    matchLabels:\n      app: app\n"


def budget(lines: str) -> str:
    return object_("policy/v1", "PodDisruptionBudget", f"spec:\n  {lines}\n{SELECTOR}")


def hpa(least: int = 2, most: int = 5, *, target: str = "app") -> str:
    return object_(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        f"spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: "
        f"{target}\n"
        f"  minReplicas: {least}\n  maxReplicas: {most}\n",
    )


@rule(
    "pdb-missing",
    "Several pods and no PodDisruptionBudget",
    severity=I,
    profiles={Profile.production: W, Profile.lab: None},
    kinds="Deployment StatefulSet",
    why="A drain may take all pods of a workload at once.",
    how="Add a PodDisruptionBudget with `maxUnavailable: 1`.",
    bad=deployment("replicas: 3"),
    good=together(deployment("replicas: 3"), budget("maxUnavailable: 1")),
)
def pdb_missing(owner: Object) -> Iterator[Found]:
    scaler = owner.world.scaler_of(owner)
    count = whole(scaler.spec.get("minReplicas")) or 1 if scaler is not None else replicas(owner)
    if owner.pod is None or count < 2:
        return
    if not owner.world.budgets_of(owner.pod):
        yield owner.found("no PodDisruptionBudget guards its pods", "spec", "replicas")


@rule(
    "pdb-blocks-all",
    "The budget never lets a pod go",
    why="A drain of the node waits for ever: nodes cannot be repaired or upgraded.",
    how="Set `maxUnavailable: 1`, or run more pods than `minAvailable`.",
    bad=budget("maxUnavailable: 0"),
    good=budget("maxUnavailable: 1"),
)
def pdb_blocks_all(owner: Object) -> Iterator[Found]:
    most, least = owner.spec.get("maxUnavailable"), owner.spec.get("minAvailable")
    if most in (0, "0", "0%"):
        yield owner.found(f"maxUnavailable is {most}: no pod may ever go", "spec", "maxUnavailable")
    if least == "100%":
        yield owner.found("minAvailable is 100%: no pod may ever go", "spec", "minAvailable")
    number = whole(least)
    for pod in owner.world.selected(table(owner.spec.get("selector")), owner.namespace):
        if number is None or owner.world.scaler_of(pod.owner) is not None:
            return
        if (
            pod.owner.kind in ("Deployment", "StatefulSet", "ReplicaSet")
            and 0 < replicas(pod.owner) <= number
        ):
            has = replicas(pod.owner)
            what = f"minAvailable is {number} and {pod.owner.title} has {has}: no pod may go"
            yield owner.found(what, "spec", "minAvailable")


@rule(
    "pdb-no-policy",
    "The budget says nothing",
    why="A budget with neither minAvailable nor maxUnavailable guards nothing.",
    how="Set `maxUnavailable: 1`.",
    bad=object_("policy/v1", "PodDisruptionBudget", f"spec:\n{SELECTOR}"),
    good=budget("maxUnavailable: 1"),
)
def pdb_no_policy(owner: Object) -> Iterator[Found]:
    if owner.spec.get("maxUnavailable") is None and owner.spec.get("minAvailable") is None:
        yield owner.found("it sets neither minAvailable nor maxUnavailable", "spec")


@rule(
    "pdb-unhealthy-policy",
    "Broken pods hold up a drain",
    severity=I,
    why="Without `unhealthyPodEvictionPolicy: AlwaysAllow` a pod that does not become ready "
    "blocks the drain of its node.",
    how="Set `unhealthyPodEvictionPolicy: AlwaysAllow`.",
    bad=budget("maxUnavailable: 1"),
    good=budget("maxUnavailable: 1\n  unhealthyPodEvictionPolicy: AlwaysAllow"),
    profiles={Profile.lab: None},
)
def pdb_unhealthy_policy(owner: Object) -> Iterator[Found]:
    path = ("spec", "unhealthyPodEvictionPolicy")
    # Somebody who wrote IfHealthyBudget has thought about it.
    if owner.api_version == "policy/v1" and not owner.spec.get("unhealthyPodEvictionPolicy"):
        yield owner.found("broken pods may hold up a drain", *path, fix=(Set(path, "AlwaysAllow"),))


@rule(
    "pdb-over-hpa",
    "The budget asks for more pods than the autoscaler keeps",
    why="When the autoscaler has gone down to its least, no pod may be evicted.",
    how="Keep minAvailable below the autoscaler's minReplicas, or use maxUnavailable.",
    bad=together(deployment(), hpa(2), budget("minAvailable: 2")),
    good=together(deployment(), hpa(3), budget("minAvailable: 2")),
)
def pdb_over_hpa(owner: Object) -> Iterator[Found]:
    number = whole(owner.spec.get("minAvailable"))
    if number is None:
        return
    for pod in owner.world.selected(table(owner.spec.get("selector")), owner.namespace):
        scaler = owner.world.scaler_of(pod.owner)
        least = (whole(scaler.spec.get("minReplicas")) or 1) if scaler is not None else None
        if least is not None and number >= least:
            what = f"minAvailable is {number} and its autoscaler may go down to {least}"
            yield owner.found(what, "spec", "minAvailable")
