"""Workloads that cannot work, or not as they were meant."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Object, Pod, get, table, tables, text
from windlass.charts.checks.world import fits, has_labels
from windlass.charts.rules.examples import deployment, object_, pod, service, together

DOCS = "https://kubernetes.io/docs/concepts/workloads/"
rule = settings(group="workloads", references=(DOCS,))
SELECTING = "Deployment ReplicaSet StatefulSet DaemonSet"
JOB = (
    "spec:\n  template:\n    spec:\n      restartPolicy: {0}\n      containers:\n"
    "        - name: app\n"
    "          image: a:1\n"
)
CRON = (
    "spec:\n  schedule: '0 3 * * *'\n  {0}\n  jobTemplate:\n    spec:\n      template:\n        "
    "spec:\n"
    "          restartPolicy: {1}\n          containers:\n            - name: app\n              "
    "image: a:1\n"
)


def cron(line: str = "concurrencyPolicy: Forbid", policy: str = "OnFailure") -> str:
    return object_("batch/v1", "CronJob", CRON.format(line, policy))


@rule(
    "selector-mismatch",
    "The selector does not fit the pod template's labels",
    severity=E,
    kinds=SELECTING,
    why="The API server refuses the workload: it would never find its own pods.",
    how="Make `selector.matchLabels` and the template's labels the same.",
    bad=deployment().replace("        app: app\n", "        app: other\n"),
    good=deployment(),
)
def selector_mismatch(owner: Object) -> Iterator[Found]:
    selector = table(owner.spec.get("selector"))
    if owner.pod is None or not selector or fits(selector, owner.pod.labels):
        return
    yield owner.found("the selector does not fit the labels of the pods", "spec", "selector")


@rule(
    "naked-pod",
    "A Pod without a controller",
    severity=W,
    profiles={Profile.lab: None, Profile.baseline: W},
    kinds="Pod",
    why="When its node goes away nobody starts it again, and it cannot be changed in place.",
    how="Use a Deployment, a StatefulSet, a DaemonSet or a Job.",
    bad=pod(),
    good=deployment(),
)
def naked_pod(owner: Object) -> Iterator[Found]:
    metadata = table(owner.data.get("metadata"))
    if not metadata.get("ownerReferences") and not _is_hook(owner):
        yield owner.found("no controller starts this pod again", "kind")


def _is_hook(owner: Object) -> bool:
    return "helm.sh/hook" in owner.annotations


@rule(
    "rolling-update",
    "A rollout takes the application away",
    severity=W,
    profiles={Profile.lab: None},
    kinds="Deployment",
    why="With Recreate all old pods end before the first new one starts.",
    how="Use RollingUpdate. Recreate is right where two versions must not run at once, as with a "
    "volume of one node: "
    "suppress the rule with that reason.",
    bad=deployment("strategy:\n  type: Recreate"),
    good=deployment("strategy:\n  type: RollingUpdate"),
)
def rolling_update(owner: Object) -> Iterator[Found]:
    kind = get(owner.spec, "strategy", "type")
    if kind not in (None, "RollingUpdate"):
        yield owner.found(f"the strategy is {kind}", "spec", "strategy", "type")


@rule(
    "cronjob-deadline",
    "A CronJob without startingDeadlineSeconds",
    severity=W,
    profiles={Profile.lab: None, Profile.baseline: I},
    kinds="CronJob",
    why="After a hundred missed starts without a deadline the job is never started again.",
    how="Set `startingDeadlineSeconds` to how late a start still makes sense.",
    bad=cron(),
    good=cron("startingDeadlineSeconds: 600"),
)
def cronjob_deadline(owner: Object) -> Iterator[Found]:
    if owner.spec.get("startingDeadlineSeconds") is None:
        yield owner.found("there is no startingDeadlineSeconds", "spec", "startingDeadlineSeconds")


@rule(
    "cronjob-restart-policy",
    "A job whose pods restart for ever",
    severity=E,
    kinds="CronJob Job",
    why="`Always`, which is the default, is refused for jobs.",
    how="Set `restartPolicy` to OnFailure or Never.",
    bad=cron(policy="Always"),
    good=cron(policy="OnFailure"),
)
def cronjob_restart_policy(owner: Object) -> Iterator[Found]:
    if owner.pod is not None and owner.pod.spec.get("restartPolicy") not in ("OnFailure", "Never"):
        yield owner.pod.found("restartPolicy must be OnFailure or Never for a job", "restartPolicy")


@rule(
    "job-ttl",
    "A finished Job stays",
    severity=I,
    kinds="Job CronJob",
    why="Finished Jobs and their pods stay until somebody deletes them. Those of a CronJob are "
    "cleaned up by its history "
    "limits, and a time of their own takes their logs away too early.",
    how="Set `ttlSecondsAfterFinished` on a Job; leave it out in a CronJob.",
    bad=object_("batch/v1", "Job", JOB.format("Never")),
    good=object_(
        "batch/v1",
        "Job",
        JOB.format("Never").replace("spec:\n", "spec:\n  ttlSecondsAfterFinished: 3600\n", 1),
    ),
)
def job_ttl(owner: Object) -> Iterator[Found]:
    field = "ttlSecondsAfterFinished"
    if owner.kind == "CronJob":
        path: Path = ("spec", "jobTemplate", "spec", field)
        if get(owner.data, "spec", "jobTemplate", "spec", field) is not None:
            yield owner.found("the CronJob's history limits clean up already", *path)
    elif owner.spec.get(field) is None and not table(owner.data.get("metadata")).get(
        "ownerReferences"
    ):
        yield owner.found("it stays after it has finished", "spec", field)


@rule(
    "statefulset-service",
    "A StatefulSet without its headless Service",
    severity=E,
    profiles={Profile.lab: W},
    kinds="StatefulSet",
    why="The pods' own names (`db-0.db`) come from a headless Service that `serviceName` names; "
    "without it they resolve to "
    "nothing.",
    how="Add a Service with `clusterIP: None` and the pods' labels, and name it in `serviceName`.",
    bad=deployment("serviceName: app", kind="StatefulSet"),
    good=together(deployment("serviceName: app", kind="StatefulSet"), service("clusterIP: None")),
)
def statefulset_service(owner: Object) -> Iterator[Found]:
    name = text(owner.spec.get("serviceName"))
    if not name:
        yield owner.found("it names no Service", "spec", "serviceName", severity=W)
        return
    found = owner.world.named("Service", name, owner.namespace)
    if found is None:
        what = f"the Service {name} is not in the set"
        severity = None if owner.world.has("Service") else W
        yield owner.found(what, "spec", "serviceName", severity=severity)
    elif found.spec.get("clusterIP") != "None":
        yield owner.found(
            f"the Service {name} is not headless (`clusterIP: None`)", "spec", "serviceName"
        )
    elif owner.pod is not None and not has_labels(
        table(found.spec.get("selector")), owner.pod.labels
    ):
        yield owner.found(f"the Service {name} does not select its pods", "spec", "serviceName")


@rule(
    "vct-annotation",
    "A volumeClaimTemplate without the annotation that is wanted",
    severity=I,
    optional=True,
    kinds="StatefulSet",
    why="Some clusters choose backups or encryption of a volume by an annotation.",
    how="Add the annotation `windlass.dev/owner` (or suppress the rule: it is for clusters that "
    "ask for it).",
    bad=deployment("volumeClaimTemplates:\n  - metadata:\n      name: data", kind="StatefulSet"),
    good=deployment(
        "volumeClaimTemplates:\n  - metadata:\n      name: data\n      annotations:\n        "
        "windlass.dev/owner: shop",
        kind="StatefulSet",
    ),
)
def vct_annotation(owner: Object) -> Iterator[Found]:
    for index, claim in tables(owner.spec.get("volumeClaimTemplates")):
        metadata = table(claim.get("metadata"))
        if not table(metadata.get("annotations")):
            yield owner.found(
                "the volume claim has no annotation",
                "spec",
                "volumeClaimTemplates",
                index,
                "metadata",
            )


@rule(
    "priority-class",
    "No priority class",
    severity=I,
    optional=True,
    scope=Scope.pod,
    why="When a node is full, pods of higher priority push others out; without a class all are "
    "equal.",
    how="Set `priorityClassName`.",
    bad=pod(),
    good=pod("priorityClassName: standard"),
)
def priority_class(p: Pod) -> Iterator[Found]:
    if not p.spec.get("priorityClassName"):
        yield p.found("it has no priority class", "priorityClassName")


@rule(
    "restart-policy",
    "The restart policy is not said",
    severity=I,
    optional=True,
    scope=Scope.pod,
    why="What is said needs no knowledge of defaults.",
    how="Set `restartPolicy`: Always for workloads, OnFailure or Never for jobs.",
    bad=pod(),
    good=pod("restartPolicy: Always"),
)
def restart_policy(p: Pod) -> Iterator[Found]:
    wanted = ("OnFailure", "Never") if p.is_job else ("Always",)
    if p.spec.get("restartPolicy") not in wanted:
        fix = () if p.is_job else p.setting("Always", "restartPolicy")
        yield p.found(f"restartPolicy should be {' or '.join(wanted)}", "restartPolicy", fix=fix)


@rule(
    "dns-ndots",
    "Every outside name is asked for five times",
    severity=I,
    optional=True,
    scope=Scope.pod,
    why="With the default ndots:5 a name such as api.example.com is first looked for in all "
    "search domains of the cluster.",
    how="Set `dnsConfig.options` with ndots 2.",
    bad=pod(),
    good=pod("dnsConfig:\n  options:\n    - name: ndots\n      value: '2'"),
)
def dns_ndots(p: Pod) -> Iterator[Found]:
    options = tables(get(p.spec, "dnsConfig", "options"))
    if not any(one.get("name") == "ndots" and one.get("value") == "2" for _, one in options):
        yield p.found("dnsConfig does not set ndots to 2", "dnsConfig", "options")
