"""What runs: seven kinds around one pod, with the options that each kind has (K-070, K-074)."""

from typing import Annotated, Literal

from msgspec import Meta, field

from windlass.charts.model.containers import (
    Amount,
    Container,
    Count,
    Port,
    Positive,
    Strict,
    Texts,
)
from windlass.charts.model.pods import PodOptions, Selector

Kind = Literal["Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"]
Share = int | str
"""A number of pods, or a percentage such as `25%`."""


class Rolling(Strict):
    """How many pods may be missing or too many while a new version comes."""

    max_surge: Share | None = None
    max_unavailable: Share | None = None
    partition: Count | None = None
    """Only of a StatefulSet: pods below this number stay as they are."""


class Strategy(Strict):
    """How a new version replaces the old one."""

    type: Literal["RollingUpdate", "Recreate", "OnDelete"] | None = None
    rolling_update: Rolling | None = None


class DeploymentOptions(Strict):
    """What only a Deployment has."""

    strategy: Strategy | None = None
    min_ready_seconds: Count | None = None
    revision_history_limit: Count | None = None
    progress_deadline_seconds: Positive | None = None
    paused: bool | None = None


class ReplicaSetOptions(Strict):
    """What only a ReplicaSet has."""

    min_ready_seconds: Count | None = None


class DaemonSetOptions(Strict):
    """What only a DaemonSet has."""

    update_strategy: Strategy | None = None
    min_ready_seconds: Count | None = None
    revision_history_limit: Count | None = None


class Ordinals(Strict):
    """The number of the first pod."""

    start: Count


class Retention(Strict):
    """What becomes of the claims when pods go."""

    when_deleted: Literal["Retain", "Delete"] | None = None
    when_scaled: Literal["Retain", "Delete"] | None = None


class StatefulSetOptions(Strict):
    """What only a StatefulSet has."""

    service_name: str | None = None
    update_strategy: Strategy | None = None
    pod_management_policy: Literal["OrderedReady", "Parallel"] | None = None
    ordinals: Ordinals | None = None
    persistent_volume_claim_retention_policy: Retention | None = None
    min_ready_seconds: Count | None = None
    revision_history_limit: Count | None = None
    volume_claim_templates: list[dict[str, object]] | None = None


class ExitCodes(Strict):
    """Which exit codes a rule is about."""

    operator: Literal["In", "NotIn"]
    values: list[int]
    container_name: str | None = None


class PodCondition(Strict):
    """Which condition of the pod a rule is about."""

    type: str
    status: str | None = None


class FailureRule(Strict):
    """What a failed pod means for the job."""

    action: Literal["FailJob", "FailIndex", "Ignore", "Count"]
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: list[PodCondition] | None = None


class FailurePolicy(Strict):
    """Rules for failed pods, the first that fits."""

    rules: list[FailureRule]


class JobOptions(Strict):
    """What a Job has, and the jobs of a CronJob."""

    completions: Count | None = None
    parallelism: Count | None = None
    completion_mode: Literal["NonIndexed", "Indexed"] | None = None
    backoff_limit: Count | None = None
    backoff_limit_per_index: Count | None = None
    max_failed_indexes: Count | None = None
    active_deadline_seconds: Positive | None = None
    ttl_seconds_after_finished: Count | None = None
    pod_failure_policy: FailurePolicy | None = None
    pod_replacement_policy: str | None = None
    success_policy: dict[str, object] | None = None
    manual_selector: bool | None = None
    managed_by: str | None = None
    suspend: bool | None = None


class CronJobOptions(Strict):
    """What only a CronJob has."""

    schedule: str
    time_zone: str | None = None
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] | None = None
    starting_deadline_seconds: Count | None = None
    successful_jobs_history_limit: Count | None = None
    failed_jobs_history_limit: Count | None = None
    suspend: bool | None = None


class Autoscale(Strict):
    """More pods when they are busy; replaces `replicas`."""

    max: Positive
    min: Positive = 2
    cpu_percent: Annotated[int, Meta(ge=1, le=100)] = 80


class Storage(Strict):
    """A disk that outlives the pods."""

    name: str
    mount_path: str
    size: Amount
    storage_class: str | None = None
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod", "ReadOnlyMany"] = (
        "ReadWriteOnce"
    )


class Expose(Strict):
    """How the outside reaches the workload: by the domain, at this path."""

    path: str = "/"
    port: Port | str | None = None
    """Left out: the first port."""
    hostnames: list[str] | None = None
    """Left out: the domain of the application."""


class Workload(Strict):
    """One thing that runs (K-071). Only a name and an image are needed."""

    name: str
    type: Kind = "Deployment"
    id: str = ""
    """The form's own id; no part of the manifests."""
    namespace: str | None = None
    """Left out: the application's. Empty: none is written."""
    labels: Texts | None = None
    annotations: Texts | None = None
    pod_labels: Texts | None = None
    """Left out: the workload's own labels."""
    pod_annotations: Texts | None = None
    selector: Selector | None = None
    """Left out: made of the name."""
    replicas: Count | None = None
    """Left out: two in production, one in a preview."""
    containers: list[Container] = field(default_factory=list)
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    pod: PodOptions = field(default_factory=PodOptions)
    deployment: DeploymentOptions = field(default_factory=DeploymentOptions)
    replica_set: ReplicaSetOptions = field(default_factory=ReplicaSetOptions)
    stateful_set: StatefulSetOptions = field(default_factory=StatefulSetOptions)
    daemon_set: DaemonSetOptions = field(default_factory=DaemonSetOptions)
    job: JobOptions = field(default_factory=JobOptions)
    cron_job: CronJobOptions | None = None
    autoscale: Autoscale | None = None
    storage: list[Storage] = field(default_factory=list)
    expose: Expose | None = None
    """Left out: the first workload with a port is what the domain shows."""
    extra: dict[str, object] = field(default_factory=dict)
    """Fields that this form lacks, merged into the manifest from its top."""
