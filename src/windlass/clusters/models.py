"""A Kubernetes cluster that somebody brought along, and what was found in it."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased


class Kind(StrEnum):
    """What proves us to a cluster."""

    token = "token"
    certificate = "certificate"


class Cluster(Leased, Model):
    """Where it is, what proves us to it, and what a loop found when it last tried.

    `asked` rises with every wish to try it; until `answered` is the same, the loop has work to do.
    """

    __tablename__ = "clusters"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    # Its members use the cluster by their role in it.
    team_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("teams.id", ondelete="SET NULL"), index=True
    )
    name: Mapped[str]
    server: Mapped[str]
    ca: Mapped[str | None]
    tls_name: Mapped[str | None]
    insecure: Mapped[bool] = mapped_column(default=False, server_default="false")
    kind: Mapped[Kind]
    # A `Credential` in JSON.
    credential_sealed: Mapped[bytes]
    # The end of the token, or the name in the certificate; null: it is too short to show any of it.
    credential_hint: Mapped[str | None]
    credential_expires_at: Mapped[dt.datetime | None]
    # Which namespaces releases may use, with * for any letters; none: all but the system's.
    namespaces: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")
    asked: Mapped[int] = mapped_column(default=1, server_default="1")
    answered: Mapped[int] = mapped_column(default=0, server_default="0")
    tested_at: Mapped[dt.datetime | None]
    # Why it cannot be used, as `probing.Reason`, and in the words of whoever said so.
    trouble: Mapped[str | None]
    trouble_detail: Mapped[str | None]
    # A `Facts` in JSON; of the last time that it answered.
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
