"""The whole of a small body, for the few requests that the edge answers itself."""

from windlass.edge.connection import Connection
from windlass.edge.request import Request
from windlass.edge.wire import Broken, chunked, exactly


async def whole(request: Request, connection: Connection, *, most: int) -> bytes:
    """The body. Raises Broken when it is larger than `most`, or the visitor leaves."""
    if not request.has_body:
        return b""
    inbox = connection.open_inbox()
    pieces = chunked(inbox) if request.chunked else exactly(inbox, request.length)
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) > most:
            raise Broken("the body is too large")
    connection.close_inbox()
    return body
