"""OpenAPI schemas, as CustomResourceDefinitions and a cluster have them, compiled into checks."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from windlass.charts import validate
from windlass.charts.validate import Check, Errors, fields, items, mapping, named, wrong

Schema = dict[str, object]
LONGEST = 20_000
"""Texts longer than this are not matched against a pattern by Python's own engine."""

METADATA: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def of_definition(document: object) -> dict[str, Check]:
    """The kinds that a CustomResourceDefinition defines; nothing for any other document."""
    crd = _table(document)
    if crd.get("kind") != "CustomResourceDefinition":
        return {}
    spec = _table(crd.get("spec"))
    kind = _table(spec.get("names")).get("kind")
    found: dict[str, Check] = {}
    for version in _list(spec.get("versions")):
        one = _table(version)
        schema = _table(_table(one.get("schema")).get("openAPIV3Schema"))
        name = f"{spec.get('group')}/{one.get('name')}/{kind}"
        if one.get("served") is not False and kind:
            found[name] = _top(schema) if schema else validate.anything
    return found


def _top(schema: Schema) -> Check:
    """An object's own schema: `apiVersion`, `kind` and `metadata` need no mention."""
    inner = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        **_table(schema.get("properties")),
        "metadata": METADATA,
    }
    return Compiler({}).check({**schema, "properties": inner})


def of_components(components: dict[str, object]) -> dict[str, Check]:
    """The kinds of an OpenAPI document's `components.schemas`."""
    compiler = Compiler(components)
    found: dict[str, Check] = {}
    for name, schema in components.items():
        gvks = _list(_table(schema).get("x-kubernetes-group-version-kind"))
        if len(gvks) == 1:
            gvk = _table(gvks[0])
            group = f"{gvk['group']}/" if gvk.get("group") else ""
            found[f"{group}{gvk.get('version')}/{gvk.get('kind')}"] = compiler.reference(name)
    return found


class Compiler:
    """Schemas → checks; references are compiled when they are first met."""

    def __init__(self, components: dict[str, object]) -> None:
        self._components = components
        self._made: dict[str, Check] = {}

    def reference(self, name: str) -> Check:
        if name not in self._made:
            self._made[name] = lambda value: self._made[name](value)
            self._made[name] = self.check(_table(self._components.get(name)))
        return self._made[name]

    def check(self, schema: Schema) -> Check:
        checks = [self._structure(schema), *self._values(schema)]
        real = [check for check in checks if check is not validate.anything]
        if not real:
            return validate.anything
        return real[0] if len(real) == 1 else _all(real)

    def _structure(self, schema: Schema) -> Check:
        if isinstance(reference := schema.get("$ref"), str):
            return self.reference(reference.rsplit("/", 1)[-1])
        if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
            return validate.integer_or_string
        inner = _table(schema.get("properties"))
        match schema.get("type"):
            case "object" | None if inner:
                known = {name: self.check(_table(one)) for name, one in inner.items()}
                if schema.get("x-kubernetes-embedded-resource"):
                    known = {
                        **dict.fromkeys(("apiVersion", "kind", "metadata"), validate.anything),
                        **known,
                    }
                is_open = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
                return fields(
                    known, _words(schema.get("required")), is_open=is_open or self._is_open(schema)
                )
            case "object":
                more = schema.get("additionalProperties")
                is_typed = isinstance(more, dict) and more
                return mapping(self.check(cast(Schema, more)) if is_typed else validate.anything)
            case "array":
                return items(self.check(_table(schema.get("items"))))
            case "string":
                return {"date-time": validate.time, "byte": validate.binary}.get(
                    str(schema.get("format")), validate.string
                )
            case "integer":
                is_32 = schema.get("format") == "int32"
                return validate.integer(*(validate.INT32 if is_32 else validate.INT64))
            case "number":
                return validate.number
            case "boolean":
                return validate.boolean
            case _:
                return validate.anything

    def _is_open(self, schema: Schema) -> bool:
        return schema.get("type") is None or schema.get("additionalProperties") not in (None, False)

    def _values(self, schema: Schema) -> list[Check]:
        """What limits values without saying which fields there are."""
        found = [
            make(schema[word]) for word, make in LIMITS.items() if schema.get(word) is not None
        ]
        for word in ("allOf", "anyOf", "oneOf"):
            if parts := _list(schema.get(word)):
                checks = [self._loose(_table(part)) for part in parts]
                found.append({"allOf": _all, "anyOf": _any, "oneOf": _one}[word](checks))
        if unwanted := _table(schema.get("not")):
            found.append(_not(self._loose(unwanted)))
        return found

    def _loose(self, schema: Schema) -> Check:
        """A part of allOf and the like: it limits values, the fields are declared outside."""
        if "$ref" in schema:
            return self.check(schema)
        checks = self._values(schema)
        inner = {
            name: self._loose(_table(one)) for name, one in _table(schema.get("properties")).items()
        }
        required = _words(schema.get("required"))
        if inner or required:
            checks.append(fields(inner, required, is_open=True))
        if (kind := schema.get("type")) is not None:
            checks.append(self._structure({"type": kind}))
        return _all(checks)


# -- limits on values ------------------------------------------------------------------------------


def _all(checks: list[Check]) -> Check:
    def check(value: object) -> Errors:
        return [error for one in checks for error in one(value) or ()] or None

    return check


def _any(checks: list[Check]) -> Check:
    def check(value: object) -> Errors:
        first: Errors = None
        for one in checks:
            errors = one(value)
            if not errors:
                return None
            first = first or errors
        return first

    return check


def _one(checks: list[Check]) -> Check:
    def check(value: object) -> Errors:
        answers = [one(value) for one in checks]
        fitting = sum(not errors for errors in answers)
        if fitting == 1:
            return None
        if fitting:
            return wrong(
                "one-of",
                "it fits several of the forms that exclude each other",
                "exactly one of them",
            )
        return next(errors for errors in answers if errors)

    return check


def _not(unwanted: Check) -> Check:
    def check(value: object) -> Errors:
        return (
            None
            if unwanted(value)
            else wrong("not", "a value that is excluded here", "another value")
        )

    return check


@lru_cache(2_000)
def pattern(text: str) -> "Callable[[str], object] | None":
    """The search of RE2, or of Python where that is not installed; None if it reads it not."""
    try:
        import re2
    except ImportError:
        try:
            # RE2 allows flags anywhere, Python only at the very start.
            match = re.match(r"\^\(\?([ims]+)\)", text)
            moved = f"(?{match[1]})^{text[match.end() :]}" if match else text
            return re.compile(moved).search
        except re.error:
            return None
    try:
        return re2.compile(text).search
    except re2.error:
        return None


def _pattern(text: object) -> Check:
    search = pattern(str(text))

    def check(value: object) -> Errors:
        if not isinstance(value, str) or search is None or len(value) > LONGEST or search(value):
            return None
        return wrong("pattern", "text of the wrong form", f"text that matches {text}")

    return check


def _at_least(limit: object) -> Check:
    return _compared(limit, lambda value, bound: value >= bound, "at least")


def _at_most(limit: object) -> Check:
    return _compared(limit, lambda value, bound: value <= bound, "at most")


def _compared(limit: object, fits: Callable[[float, float], bool], words: str) -> Check:
    bound = cast(float, limit)

    def check(value: object) -> Errors:
        if isinstance(value, bool) or not isinstance(value, int | float) or fits(value, bound):
            return None
        return wrong("range", f"{named(value)} is out of range", f"{words} {bound}")

    return check


def _sized(kind: type, is_least: bool, unit: str) -> Callable[[object], Check]:
    def make(limit: object) -> Check:
        bound = cast(int, limit)
        words = f"at {'least' if is_least else 'most'} {bound} {unit}"

        def check(value: object) -> Errors:
            if not isinstance(value, kind):
                return None
            size = len(cast(str, value))
            if size >= bound if is_least else size <= bound:
                return None
            return wrong("size", f"there are {size} {unit}", words)

        return check

    return make


LIMITS: dict[str, Callable[[object], Check]] = {
    "enum": lambda words: validate.one_of(_list(words)),
    "pattern": _pattern,
    "minimum": _at_least,
    "maximum": _at_most,
    "minLength": _sized(str, True, "characters"),
    "maxLength": _sized(str, False, "characters"),
    "minItems": _sized(list, True, "items"),
    "maxItems": _sized(list, False, "items"),
    "minProperties": _sized(dict, True, "fields"),
    "maxProperties": _sized(dict, False, "fields"),
}


def _table(value: object) -> Schema:
    return cast(Schema, value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [word for word in _list(value) if isinstance(word, str)]
