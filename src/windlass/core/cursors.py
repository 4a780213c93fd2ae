"""A cursor as it leaves: it continues one list for one person, and nobody can change it (C-077)."""

from typing import Any

from litestar import Request

from windlass.core import caller
from windlass.core.crypto import KeyRing
from windlass.core.schemas import BadCursor

_LETTERS = KeyRing.MARK_LETTERS


def sealed(request: Request[Any, Any, Any], cursor: str) -> str:
    """What the answer shows."""
    keys: KeyRing = request.app.state.key_ring
    return cursor + keys.mark(cursor, context=_list_of(request))


def opened(request: Request[Any, Any, Any], text: str) -> str:
    """What `sealed` was given; anything else, or that of another list or person, is a BadCursor."""
    keys: KeyRing = request.app.state.key_ring
    cursor, mark = text[:-_LETTERS], text[-_LETTERS:]
    if not keys.is_marked(cursor, mark, context=_list_of(request)):
        raise BadCursor()
    return cursor


def _list_of(request: Request[Any, Any, Any]) -> str:
    return f"cursor:{request.scope['path'].rstrip('/')}:{caller.current().user_id}"
