"""The states of a deployment and the moves between them (C-019)."""

from enum import StrEnum


class Status(StrEnum):
    queued = "QUEUED"
    building = "BUILDING"
    deploying = "DEPLOYING"
    ready = "READY"
    error = "ERROR"
    cancelled = "CANCELLED"


MOVING = (Status.queued, Status.building, Status.deploying)
ENDED = (Status.ready, Status.error, Status.cancelled)

MOVES: dict[Status, frozenset[Status]] = {
    Status.queued: frozenset({Status.building, Status.error, Status.cancelled}),
    Status.building: frozenset({Status.deploying, Status.error, Status.cancelled}),
    Status.deploying: frozenset({Status.ready, Status.error, Status.cancelled}),
    Status.ready: frozenset(),
    Status.error: frozenset(),
    Status.cancelled: frozenset(),
}


def may_move(before: Status, after: Status) -> bool:
    """True for a legal move; an ended deployment never moves again."""
    return after in MOVES[before]
