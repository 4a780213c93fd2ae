"""From the bytes of an answer to structs that keep them."""

from typing import TypeVar
from urllib.parse import quote

import msgspec

from windlass.cli.client import Answer, Connection, Params, UnknownAnswer
from windlass.cli.schemas import Resource

Found = TypeVar("Found", bound=Resource)
Decoded = TypeVar("Decoded")
PAGE = 100


class Decoding(Connection):
    """A connection whose answers become resources, one, a list, or all pages of a list."""

    def _one(self, kind: type[Found], answer: Answer) -> Found:
        return self._received(kind, answer.data)

    def _list(self, kind: type[Found], answer: Answer) -> list[Found]:
        items = self._decoded(list[msgspec.Raw], answer.data)
        return [self._received(kind, bytes(item)) for item in items]

    def _many(
        self, kind: type[Found], path: str, filters: Params, limit: int | None
    ) -> list[Found]:
        found: list[Found] = []
        cursor: str | None = None
        while True:
            page = PAGE if limit is None else min(PAGE, limit - len(found))
            answer = self.request("GET", path, params={**filters, "limit": page, "cursor": cursor})
            found += self._list(kind, answer)
            cursor = answer.cursor
            if cursor is None or (limit is not None and len(found) >= limit):
                return found

    def _received(self, kind: type[Found], data: bytes) -> Found:
        resource = self._decoded(kind, data)
        resource.as_received = data
        return resource

    def _decoded(self, kind: type[Decoded], data: bytes) -> Decoded:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise UnknownAnswer(url=self.url, reason=error) from error


def safe(part: str) -> str:
    """One segment of a path: an id typed by a person must not reach another route."""
    return quote(part, safe="") if part not in {".", ".."} else "%2E"


def given(**fields: object) -> dict[str, object]:
    """Fields that have a value, in the API's camel case."""
    return {_camel(key): value for key, value in fields.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
