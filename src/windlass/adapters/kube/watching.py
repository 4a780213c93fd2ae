"""What changes in a cluster, as it changes: a list and then a watch, for ever or until somebody
stops listening."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec

from windlass.adapters.kube import errors

Kind = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
_MOST_BYTES_OF_LINE = 8 << 20


class Change(msgspec.Struct, frozen=True):
    """`object` was made, changed or deleted; a bookmark has its resourceVersion alone."""

    kind: Kind
    object: dict[str, Any]

    @property
    def version(self) -> str:
        """From where a watch can go on."""
        return str((self.object.get("metadata") or {}).get("resourceVersion") or "")


async def lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines; a last one without an end is half an answer and left out."""
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line:
                yield line
        if len(rest) > _MOST_BYTES_OF_LINE:
            raise errors.Broken("a line of its answer is too long")


def change(line: bytes) -> Change:
    """One line of a watch. Raises Expired, where it says that it cannot go on, and Broken."""
    try:
        found = msgspec.json.decode(line)
        kind, about = found["type"], found["object"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise errors.Broken("it sent something that is no change") from None
    if kind == "ERROR":
        raise errors.refusal(int(about.get("code") or 500), msgspec.json.encode(about), {})
    return Change(kind, about)
