"""Which lists of Kubernetes are merged, and by which keys: what its OpenAPI calls list types and
map types. Lists that are not named here are replaced as a whole.
"""

from typing import Any

Keys = tuple[str, ...]

# The end of a path → the keys of its items.
_BY_KEYS: dict[str, Keys] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "[].ports": ("containerPort", "protocol"),
    ".spec.ports": ("port", "protocol"),
    "[].env": ("name",),
    "[].volumeMounts": ("mountPath",),
    "[].volumeDevices": ("devicePath",),
    "spec.volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "schedulingGates": ("name",),
    "resourceClaims": ("name",),
    "resources.claims": ("name",),
    "ownerReferences": ("uid",),
    "status.conditions": ("type",),
    "listeners": ("name",),
    ".webhooks": ("name",),
}
_SETS = ("metadata.finalizers",)
# References and selectors are one thing each.
_ATOMIC = (
    "selector",
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "nodeSelector",
    "labelSelector",
    "podSelector",
    "namespaceSelector",
    "roleRef",
    "scaleTargetRef",
    "volumeAttributes",
    "fieldsV1",
)
_KEY_DEFAULTS = {"protocol": "TCP"}


class BuiltIn:
    """Where we are in an object of a kind of Kubernetes' own."""

    def __init__(self, path: str = "") -> None:
        self._path = path

    def child(self, name: str) -> "BuiltIn":
        return BuiltIn(f"{self._path}.{name}")

    def item(self) -> "BuiltIn":
        return BuiltIn(f"{self._path}[]")

    @property
    def keys(self) -> Keys | None:
        """By which items are told apart; () for a set; None: the list is one thing."""
        if self._path.endswith(_SETS):
            return ()
        for end, keys in _BY_KEYS.items():
            if self._path.endswith(end):
                return keys
        return None

    @property
    def is_atomic(self) -> bool:
        return self._path.rpartition(".")[2] in _ATOMIC


class Defined:
    """Where we are in an object of a CustomResourceDefinition, with the schema that it gives."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def child(self, name: str) -> "Defined | BuiltIn":
        if name == "metadata" and not self._schema.get("properties", {}).get(name, {}).get(
            "properties"
        ):
            return BuiltIn(".metadata")
        found = (self._schema.get("properties") or {}).get(name)
        if found is None:
            more = self._schema.get("additionalProperties")
            found = more if isinstance(more, dict) else {}
        return Defined(found)

    def item(self) -> "Defined":
        return Defined(self._schema.get("items") or {})

    @property
    def keys(self) -> Keys | None:
        match self._schema.get("x-kubernetes-list-type"):
            case "map":
                return tuple(self._schema.get("x-kubernetes-list-map-keys") or ())
            case "set":
                return ()
            case _:
                return None

    @property
    def is_atomic(self) -> bool:
        return self._schema.get("x-kubernetes-map-type") == "atomic"


Typed = BuiltIn | Defined


def key_of(item: dict[str, Any], keys: Keys) -> dict[str, Any]:
    return {key: item.get(key, _KEY_DEFAULTS.get(key)) for key in sorted(keys)}
