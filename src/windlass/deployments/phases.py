"""The states of a deployment: queued, building, deploying, and one of three ends (C-019)."""

from enum import StrEnum


class Status(StrEnum):
    queued = "QUEUED"
    building = "BUILDING"
    deploying = "DEPLOYING"
    ready = "READY"
    error = "ERROR"
    cancelled = "CANCELLED"


MOVING = (Status.queued, Status.building, Status.deploying)
