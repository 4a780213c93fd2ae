"""Facts about what administrators of the platform did to accounts."""

from uuid import UUID

from windlass.auth.models import Plan
from windlass.core.events import Event


class Suspended(Event, frozen=True):
    """So many sessions and unfinished deployments ended with it."""

    user_id: UUID
    sessions: int
    deployments: int


class SuspensionLifted(Event, frozen=True):
    user_id: UUID


class SignedOutEverywhere(Event, frozen=True):
    user_id: UUID
    sessions: int


class PlanChanged(Event, frozen=True):
    user_id: UUID
    plan: Plan
    previous: Plan


class AdminGranted(Event, frozen=True):
    user_id: UUID


class AdminRevoked(Event, frozen=True):
    user_id: UUID
