"""What background code may use: a way to open a transaction, and the outside world."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.core.settings import Settings


@dataclass(frozen=True)
class Ctx:
    """Made once by the worker. `world` holds the adapters; areas read it with their own type."""

    settings: Settings
    database: Database
    live: Live
    keys: KeyRing
    world: Any

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Commit on success, roll back on any error. Keep it short: no network inside."""
        return self.database.transaction()
