"""Facts about the keys of an instance. Who runs commands on its machine has no account there."""

from typing import Literal

from windlass.core.events import Event


class KeysRotated(Event, frozen=True):
    kind: Literal["sessions", "data"]
    resealed: int = 0
