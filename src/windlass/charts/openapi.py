"""OpenAPI schemas, as CustomResourceDefinitions and a cluster have them, compiled into checks."""

from typing import cast

from windlass.charts import validate
from windlass.charts.limits import LIMITS, together
from windlass.charts.validate import Check, Errors, fields, items, mapping, wrong

Schema = dict[str, object]

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
        return real[0] if len(real) == 1 else together(real)

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
                found.append({"allOf": together, "anyOf": _any, "oneOf": _one}[word](checks))
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
        return together(checks)


# -- parts that exclude each other -----------------------------------------------------------------


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


def _table(value: object) -> Schema:
    return cast(Schema, value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [word for word in _list(value) if isinstance(word, str)]
