"""What the release routes take and give."""

import datetime as dt
from typing import Annotated, Any, Literal

from msgspec import Meta

from windlass.core.schemas import In, Out
from windlass.releases.gate import FindingOf

ClusterId = Annotated[str, Meta(max_length=64, examples=["cls_019ab0c0000070008000000000000000"])]
_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_LABEL_SAID = "Use small letters, digits and dashes; begin and end with a letter or digit"
Name = Annotated[
    str,
    Meta(min_length=1, max_length=53, pattern=_LABEL, description=_LABEL_SAID, examples=["shop"]),
]
NamespaceName = Annotated[
    str,
    Meta(min_length=1, max_length=63, pattern=_LABEL, description=_LABEL_SAID, examples=["shop"]),
]
EnvironmentName = Literal["production", "staging", "preview", "development"]
ProfileName = Literal["baseline", "restricted", "production"]
StatusFilter = Annotated[
    str, Meta(max_length=200, description="One or several, with commas: deployed,failed.")
]
Digest = Annotated[
    str,
    Meta(max_length=64, description="The digest of the warnings that are taken upon oneself."),
]
ObjectName = Annotated[str, Meta(max_length=320, examples=["Deployment/web"])]
Timeout = Annotated[int, Meta(ge=10, le=3600)]


class Wanted(In, kw_only=True):
    """What to do where the cluster says no: named objects only, after somebody saw the plan."""

    confirm: Digest | None = None
    force: Annotated[
        tuple[ObjectName, ...],
        Meta(max_length=500, description="Objects whose fields are taken from their owners."),
    ] = ()
    recreate: Annotated[
        tuple[ObjectName, ...],
        Meta(max_length=500, description="Objects that may be deleted and made anew."),
    ] = ()
    with_data: Annotated[
        bool, Meta(description="Also take away volume claims, namespaces and definitions.")
    ] = False
    create_namespace: bool = False
    cluster_wide: Annotated[
        bool,
        Meta(description="Let it have objects that count for the whole cluster; for its admins."),
    ] = False
    timeout_seconds: Timeout = 300
    note: Annotated[str, Meta(max_length=2000)] | None = None


class ReleaseCreate(Wanted, kw_only=True):
    """A revision of the release with this name; the first one makes it (K-094)."""

    cluster_id: ClusterId
    name: Name
    namespace: NamespaceName | None = None
    kind: Literal["manifests"] = "manifests"
    environment: EnvironmentName = "production"
    profile: ProfileName = "baseline"
    manifest: Annotated[str, Meta(max_length=1 << 20)] = ""
    form: Annotated[
        dict[str, Any] | None, Meta(description="The builder's form, kept to be edited later.")
    ] = None


class ReleaseEdit(Wanted):
    """The next revision of a release: its namespace and cluster cannot be changed (K-114)."""

    manifest: Annotated[str, Meta(max_length=1 << 20)] | None = None
    form: dict[str, Any] | None = None
    namespace: NamespaceName | None = None
    cluster_id: ClusterId | None = None
    environment: EnvironmentName | None = None
    profile: ProfileName | None = None


class Again(Wanted):
    """Deploy a revision once more."""

    revision: Annotated[int, Meta(ge=1, lt=1 << 53, examples=[1])] | None = None


class ItemOut(Out):
    api_version: str
    kind: str
    name: str
    namespace: str


class ResultOut(ItemOut):
    """What became of one document: of applying it, then of its rollout."""

    stage: int
    outcome: str
    message: str
    hint: str
    warnings: list[str]
    state: str
    state_message: str


class ChangeOut(Out):
    """One field; null where it is not there. Secrets are only said to be others."""

    path: str
    before: Any
    after: Any


class DriftOut(ItemOut):
    is_missing: bool
    message: str
    changes: list[ChangeOut]


class RevisionOut(Out):
    number: int
    kind: str
    why: str
    of: int | None
    environment: str
    status: str
    reason: str | None
    note: str | None
    profile: str
    workloads_count: int
    resources_count: int
    errors_count: int
    warnings_count: int
    suppressed_count: int
    created_by: str | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class RevisionDetail(RevisionOut):
    findings: list[FindingOf]
    results: list[ResultOut]
    pruned: list[ResultOut]


class ReleaseOut(Out):
    """A release in lists (K-110)."""

    id: str
    cluster_id: str
    cluster: str
    name: str
    namespace: str
    kind: str
    environment: str
    status: str
    reason: str | None
    revision: int
    deployed_revision: int | None
    workloads_count: int
    resources_count: int
    has_drift: bool
    drift_checked_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class ReleaseDetail(ReleaseOut):
    newest: RevisionDetail | None
    drift: list[DriftOut]
    # What the page offers next (E-28).
    actions: list[str]


class DocumentPlan(ItemOut):
    """What would become of one document."""

    action: Annotated[
        str,
        Meta(
            description="create, change, unchanged, recreate, conflict, immutable, refused, later "
            "or prune; `later` cannot be checked before something else of the set is there."
        ),
    ]
    message: str
    changes: list[ChangeOut]
    conflicts: list[str]
    immutable: list[str]
    warnings: list[str]
    is_adopted: bool


class PlanOut(Out):
    """What a deployment would do; nothing was changed."""

    digest: Annotated[str, Meta(description="To be sent as `confirm`; empty without warnings.")]
    is_refused: bool
    findings: list[FindingOf]
    documents: list[DocumentPlan]
    prunes: list[DocumentPlan]
    needs_namespace: bool


class RevisionSource(Out):
    """A revision as it was sent: the form, where it was made with one, and the manifests."""

    number: int
    form: dict[str, Any] | None
    manifest: str


class DocumentChange(ItemOut):
    """One document of two revisions; `change` is added, removed or changed."""

    change: str
    changes: list[ChangeOut]


class RevisionDiff(Out):
    """What differs; `comparedWith` is 0 where there is nothing before."""

    revision: int
    compared_with: int
    documents: list[DocumentChange]


class PodOut(Out):
    name: str
    phase: str
    ready: str
    restarts: int
    node: str
    owner: str
    containers: list[str]
    message: str
    created_at: dt.datetime | None


class EventOut(Out):
    type: str
    reason: str
    message: str
    object: str
    count: int
    last_seen: dt.datetime | None


class ResourceOut(ItemOut):
    """One object of a release as it is in the cluster (K-115)."""

    state: str
    message: str
    is_deletable: bool
    keeps_data: bool


class LogsOut(Out):
    pod: str
    container: str
    lines: list[str]
    is_previous: bool
