"""The states of a deployment: queued, building, deploying, and one of three ends (C-019)."""

from enum import StrEnum


class Status(StrEnum):
    queued = "QUEUED"
    building = "BUILDING"
    deploying = "DEPLOYING"
    ready = "READY"
    error = "ERROR"
    cancelled = "CANCELLED"


# What counts in the queue, by how important it is; each level waits so much longer (C-141, D-44).
PRIORITIES = {"production": 0, "preview": 5, "low": 10}
SECONDS_PER_LEVEL = 100

MOVING = (Status.queued, Status.building, Status.deploying)
