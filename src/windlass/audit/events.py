"""Facts about the audit log itself."""

from uuid import UUID

from windlass.core.events import Event


class Exported(Event, frozen=True):
    """Somebody took a copy; `filters` are the parameters of the address it was asked for with."""

    format: str
    filters: dict[str, str]
    everything: bool
    project_id: UUID | None = None
    team_id: UUID | None = None
