"""What the API sends about releases, as structs; see `schemas`."""

from datetime import datetime

import msgspec

from windlass.cli.schemas import Resource


class Part(msgspec.Struct, kw_only=True, rename="camel"):
    """A part of a resource."""


class ClusterRow(Resource):
    id: str
    name: str = ""


class ReleaseFinding(Part):
    rule: str = ""
    severity: str = ""
    message: str = ""
    hint: str = ""
    kind: str = ""
    name: str = ""
    line: int = 1
    skipped: str | None = None


class FieldChange(Part):
    path: str = ""
    before: object = None
    after: object = None


class PlannedDocument(Part):
    kind: str = ""
    name: str = ""
    action: str = ""
    message: str = ""
    changes: list[FieldChange] = msgspec.field(default_factory=list[FieldChange])
    conflicts: list[str] = msgspec.field(default_factory=list[str])
    immutable: list[str] = msgspec.field(default_factory=list[str])
    warnings: list[str] = msgspec.field(default_factory=list[str])


class ReleasePlan(Resource):
    digest: str = ""
    is_refused: bool = False
    needs_namespace: bool = False
    findings: list[ReleaseFinding] = msgspec.field(default_factory=list[ReleaseFinding])
    documents: list[PlannedDocument] = msgspec.field(default_factory=list[PlannedDocument])
    prunes: list[PlannedDocument] = msgspec.field(default_factory=list[PlannedDocument])


class DocumentResult(Part):
    kind: str = ""
    name: str = ""
    outcome: str = ""
    message: str = ""
    hint: str = ""
    state: str = ""
    state_message: str = ""
    warnings: list[str] = msgspec.field(default_factory=list[str])


class Revision(Resource):
    number: int = 0
    why: str = ""
    of: int | None = None
    environment: str = ""
    status: str = ""
    reason: str | None = None
    note: str | None = None
    resources_count: int = 0
    created_at: datetime | None = None


class NewestRevision(Part):
    number: int = 0
    results: list[DocumentResult] = msgspec.field(default_factory=list[DocumentResult])
    pruned: list[DocumentResult] = msgspec.field(default_factory=list[DocumentResult])


class DriftedObject(Part):
    kind: str = ""
    name: str = ""
    is_missing: bool = False
    message: str = ""
    changes: list[FieldChange] = msgspec.field(default_factory=list[FieldChange])


class Release(Resource):
    id: str
    name: str = ""
    cluster: str = ""
    cluster_id: str = ""
    namespace: str = ""
    kind: str = ""
    environment: str = ""
    status: str = ""
    reason: str | None = None
    revision: int = 0
    workloads_count: int = 0
    resources_count: int = 0
    has_drift: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    newest: NewestRevision | None = None
    drift: list[DriftedObject] = msgspec.field(default_factory=list[DriftedObject])

    @property
    def is_moving(self) -> bool:
        return self.status in ("QUEUED", "APPLYING", "ROLLING_OUT", "DELETING")


class RevisionSource(Resource):
    number: int = 0
    manifest: str = ""


class ChangedDocument(Part):
    kind: str = ""
    name: str = ""
    change: str = ""
    changes: list[FieldChange] = msgspec.field(default_factory=list[FieldChange])


class RevisionDiff(Resource):
    revision: int = 0
    compared_with: int = 0
    documents: list[ChangedDocument] = msgspec.field(default_factory=list[ChangedDocument])


class ContainerLog(Resource):
    pod: str = ""
    container: str = ""
    lines: list[str] = msgspec.field(default_factory=list[str])
