"""The states of a release, and which of them may follow which (K-003).

QUEUED → APPLYING → ROLLING_OUT → DEPLOYED
            │            └──────→ FAILED
            ├─ nothing of it could be applied → FAILED
            └─ a part of it could not be applied → PARTIAL
any end → QUEUED (the next revision) or DELETING → DELETED
"""

from enum import StrEnum


class Status(StrEnum):
    queued = "QUEUED"
    applying = "APPLYING"
    rolling_out = "ROLLING_OUT"
    deployed = "DEPLOYED"
    partial = "PARTIAL"
    failed = "FAILED"
    deleting = "DELETING"
    deleted = "DELETED"


MOVING = (Status.queued, Status.applying, Status.rolling_out, Status.deleting)
ENDS = (Status.deployed, Status.partial, Status.failed, Status.deleted)

NEXT: dict[Status, frozenset[Status]] = {
    Status.queued: frozenset({Status.applying, Status.failed}),
    Status.applying: frozenset({Status.rolling_out, Status.partial, Status.failed}),
    Status.rolling_out: frozenset({Status.deployed, Status.failed}),
    Status.deleting: frozenset({Status.deleted, Status.failed}),
    **{end: frozenset({Status.queued, Status.deleting}) for end in ENDS},
    Status.deleted: frozenset({Status.queued}),
}


class Outcome(StrEnum):
    """What became of one document of a revision."""

    waiting = "waiting"
    created = "created"
    changed = "changed"
    unchanged = "unchanged"
    recreated = "recreated"
    failed = "failed"
    skipped = "skipped"


DONE = (Outcome.created, Outcome.changed, Outcome.unchanged, Outcome.recreated)
