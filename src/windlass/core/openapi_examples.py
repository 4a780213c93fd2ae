"""Examples, made of schemas: by a field's own, by its name, by its type."""

from collections.abc import Mapping
from typing import Any

import msgspec

Schema = dict[str, Any]
_ID = "019ab0c0000070008000000000000000"
_MOMENT = "2026-11-21T12:00:00Z"
_BY_FORMAT = {
    "date-time": _MOMENT,
    "date": "2026-11-21",
    "uuid": "019ab0c0-0000-7000-8000-000000000000",
}


class Words(msgspec.Struct, frozen=True):
    """What examples say of the product: the core does not know it."""

    by_name: Mapping[str, object] = {}
    """Values by the name of the field."""
    prefixes: Mapping[str, str] = {}
    """Prefixes of ids by what they are the id of: `team` for `teamId` and for the id of a Team."""


class Examples:
    """One value of a schema; of a body what must be there, or else the first field."""

    def __init__(self, words: Words, components: Schema) -> None:
        self._words = words
        self._components = components

    def of(self, schema: Schema, name: str = "", *, is_body: bool = False) -> Any:
        return _Maker(self._words, self._components, is_body).of(schema, name, ())


class _Maker:
    def __init__(self, words: Words, components: Schema, is_body: bool) -> None:
        self._words = words
        self._components = components
        self._is_body = is_body

    def of(self, schema: Schema, name: str, inside: tuple[str, ...]) -> Any:
        if "examples" in schema:
            return schema["examples"][0]
        for word in ("const", "default"):
            if word in schema and schema[word] is not None:
                return schema[word]
        if "enum" in schema:
            return schema["enum"][0]
        if ref := schema.get("$ref"):
            target = ref.rsplit("/", 1)[-1]
            if target in inside:
                return None
            return self.of(self._components[target], name, (*inside, target))
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            wanted = [choice for choice in choices if choice != {"type": "null"}]
            return self.of(wanted[0], name, inside)
        return self._plain(schema, name, inside)

    def _plain(self, schema: Schema, name: str, inside: tuple[str, ...]) -> Any:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, inside)
        known = self._words.by_name.get(name)
        if known is not None and isinstance(known, list) == (kind == "array"):
            return known
        if kind == "array":
            item = self.of(schema.get("items") or {}, name.removesuffix("s"), inside)
            return [item] * max(1, schema.get("minItems", 0)) if item is not None else []
        if kind in {"integer", "number"}:
            return max(schema.get("minimum", 0), min(12, schema.get("maximum", 12)))
        if kind == "boolean":
            return False
        return self._text(schema, name, inside) if kind == "string" else None

    def _object(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        fields: Schema = schema.get("properties", {})
        wanted = list(fields)
        if self._is_body:
            wanted = list(schema.get("required", ())) or wanted[:1]
        return {field: self.of(fields[field], field, inside) for field in wanted}

    def _text(self, schema: Schema, name: str, inside: tuple[str, ...]) -> str:
        if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        if name.endswith("At"):
            return _MOMENT
        return self._id(name, inside) or _filler(schema)

    def _id(self, name: str, inside: tuple[str, ...]) -> str | None:
        """Of what it is the id: `teamId` says it, an `id` is that of the struct it stands in."""
        owner = name.removesuffix("_id").removesuffix("Id")
        if name == "id" and inside:
            owner = inside[-1].removesuffix("Out")
        elif owner == name:
            return None
        prefixes = self._words.prefixes.items()
        found = next((prefix for word, prefix in prefixes if owner.lower().endswith(word)), None)
        return f"{found}_{_ID}" if found else None


def _filler(schema: Schema) -> str:
    return "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]
