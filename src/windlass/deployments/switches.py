"""Each switch of production and what came of it: the receipt, and the return when errors rise."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased


class Outcome(StrEnum):
    """How the time after a switch ended."""

    # Its link is not replaced yet, or nobody has seen it answer.
    begun = "BEGUN"
    counting = "COUNTING"
    stayed = "STAYED"
    # Somebody made another release live before the time was over.
    replaced = "REPLACED"
    returned = "RETURNED"


class Switch(Leased, Model):
    """One generation of a production host. The first figures are kept before the link is replaced,
    so that nothing is lost when the control plane ends in between."""

    __tablename__ = "switches"
    __table_args__ = (
        Index("uq_switches_site_id_generation", "site_id", "generation", unique=True),
        Index("ix_switches_deployment_id_created_at", "deployment_id", "created_at", "id"),
        Index(
            "ix_switches_counting",
            "check_at",
            postgresql_where=text("outcome = 'COUNTING'"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    previous_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("deployments.id", ondelete="SET NULL"), index=True
    )
    generation: Mapped[int]
    host: Mapped[str]
    reason: Mapped[str | None]
    outcome: Mapped[Outcome] = mapped_column(default=Outcome.begun)
    # The names of the two releases as the edge knows them.
    release: Mapped[str]
    previous_release: Mapped[str | None]
    # Which run of the edge counted, its figures of both before the link was replaced, and what was
    # counted in earlier runs of it since.
    edge_run: Mapped[str]
    baseline: Mapped[dict[str, Any]] = mapped_column(JSONB)
    carried: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    switched_at: Mapped[dt.datetime | None]
    switch_milliseconds: Mapped[float | None]
    # Until when it is counted, and whether it returns by itself until then.
    until: Mapped[dt.datetime | None]
    is_watched: Mapped[bool] = mapped_column(default=False, server_default="false")
    ended_at: Mapped[dt.datetime | None]
