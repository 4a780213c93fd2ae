"""HorizontalPodAutoscalers."""

from collections.abc import Iterator

from windlass.charts.checks.rule import Delete, E, Found, Profile, W, settings
from windlass.charts.checks.views import Object, table, text, whole
from windlass.charts.rules.disruption import hpa
from windlass.charts.rules.examples import deployment, together

DOCS = "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/"
rule = settings(group="scaling", severity=W, kinds="HorizontalPodAutoscaler", references=(DOCS,))


@rule(
    "hpa-min",
    "The autoscaler goes down to one pod",
    profiles={Profile.lab: None},
    why="With one pod, every restart is an outage.",
    how="Set `minReplicas` to 2 or more.",
    bad=together(deployment(), hpa(1)),
    good=together(deployment(), hpa(2)),
)
def hpa_min(owner: Object) -> Iterator[Found]:
    least = owner.spec.get("minReplicas")
    if least is None or (isinstance(least, int) and least < 2):
        yield owner.found(f"minReplicas is {1 if least is None else least}", "spec", "minReplicas")


@rule(
    "hpa-max",
    "The autoscaler has no room",
    why="With maxReplicas at or below minReplicas nothing is ever scaled.",
    how="Set `maxReplicas` above `minReplicas`.",
    bad=together(deployment(), hpa(3, 3)),
    good=together(deployment(), hpa(3, 6)),
)
def hpa_max(owner: Object) -> Iterator[Found]:
    least = whole(owner.spec.get("minReplicas"))
    least = 1 if least is None else least
    most = whole(owner.spec.get("maxReplicas"))
    if most is not None and most <= least:
        yield owner.found(
            f"maxReplicas {most} is not above minReplicas {least}", "spec", "maxReplicas"
        )


@rule(
    "hpa-static-replicas",
    "Both the manifest and an autoscaler set the number of pods",
    kinds="Deployment StatefulSet ReplicaSet",
    why="Every time the manifest is applied the number jumps back to what it says, whatever the "
    "load is.",
    how="Remove `replicas` from the workload.",
    bad=together(deployment("replicas: 2"), hpa()),
    good=together(deployment(), hpa()),
)
def hpa_static_replicas(owner: Object) -> Iterator[Found]:
    scaler = owner.world.scaler_of(owner)
    if scaler is not None and owner.spec.get("replicas") is not None:
        path = ("spec", "replicas")
        yield owner.found(f"{scaler.title} sets the number of pods", *path, fix=(Delete(path),))


@rule(
    "hpa-dangling",
    "The autoscaler's workload is not in the set",
    severity=E,
    profiles={Profile.lab: W},
    why="It scales nothing and reports FailedGetScale.",
    how="Correct `scaleTargetRef`.",
    bad=together(deployment(), hpa(target="other")),
    good=together(deployment(), hpa()),
)
def hpa_dangling(owner: Object) -> Iterator[Found]:
    target = table(owner.spec.get("scaleTargetRef"))
    kind, name = text(target.get("kind")), text(target.get("name"))
    if kind not in ("Deployment", "StatefulSet", "ReplicaSet") or owner.world.named(
        kind, name, owner.namespace
    ):
        return
    # Without any workload in the set the cluster holds the other side.
    severity = None if owner.world.pods_in(owner.namespace) else W
    yield owner.found(
        f"there is no {kind} {name} in the set", "spec", "scaleTargetRef", severity=severity
    )
