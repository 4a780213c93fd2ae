"""What background code may use: a way to open a transaction, and the outside world."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
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
    # Loops look one after the other: together they would keep a connection each, and each is 7 MB.
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Commit on success, roll back on any error. Keep it short: no network inside."""
        return self.database.transaction()
