"""Examples, made of schemas: by a field's own, by its name, by its type."""

from typing import Any

Schema = dict[str, Any]
_ID = "019ab0c0000070008000000000000000"
# What people would write there. A field with a pattern that is not here has `examples` of its own.
_BY_NAME: dict[str, object] = {
    "email": "ada@example.com",
    "identifier": "ada@example.com",
    "username": "ada",
    "password": "Correct-horse-4",
    "current": "Correct-horse-4",
    "new": "Battery-staple-5",
    "name": "Shop",
    "slug": "shop",
    "key": "API_URL",
    "value": "https://api.example.com",
    "code": "123456",
    "branch": "main",
    "repositoryBranch": "main",
    "repositoryUrl": "https://git.example.com/shop.git",
    "commitSha": "0123456789abcdef0123456789abcdef01234567",
    "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "hashes": ["2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
    "path": "index.html",
    "paths": ["index.html", "node_modules/x.js"],
    "url": "https://shop.example.com",
    "language": "en",
}
_PREFIXES = {
    "project": "proj",
    "deployment": "depl",
    "team": "team",
    "user": "user",
    "source": "src",
    "token": "tok",
    "env": "env",
    "invitation": "inv",
    "session": "sess",
    "passkey": "key",
}
_BY_FORMAT = {
    "date-time": "2026-11-21T12:00:00Z",
    "date": "2026-11-21",
    "uuid": "019ab0c0-0000-7000-8000-000000000000",
}


def example(schema: Schema, components: Schema, *, name: str = "", is_body: bool = False) -> Any:
    """One value of this schema; of a body what must be there, or else the first field."""
    return _Maker(components, is_body).of(schema, name, ())


class _Maker:
    def __init__(self, components: Schema, is_body: bool) -> None:
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
        if name in _BY_NAME and isinstance(_BY_NAME[name], list) == (kind == "array"):
            return _BY_NAME[name]
        if kind == "array":
            item = self.of(schema.get("items") or {}, name.removesuffix("s"), inside)
            return [item] * max(1, schema.get("minItems", 0)) if item is not None else []
        if kind in {"integer", "number"}:
            return max(schema.get("minimum", 0), min(12, schema.get("maximum", 12)))
        if kind == "boolean":
            return False
        return _text(schema, name) if kind == "string" else None

    def _object(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        fields: Schema = schema.get("properties", {})
        wanted = list(fields)
        if self._is_body:
            wanted = list(schema.get("required", ())) or wanted[:1]
        return {field: self.of(fields[field], field, inside) for field in wanted}


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if isinstance(known := _BY_NAME.get(name), str):
        return known
    owner = name.removesuffix("_id").removesuffix("Id").lower()
    if name != owner or name == "invitation":
        for word, prefix in _PREFIXES.items():
            if owner.endswith(word):
                return f"{prefix}_{_ID}"
    return "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]
