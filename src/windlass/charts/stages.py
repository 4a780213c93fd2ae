"""In which steps objects are applied: what defines a kind or makes a namespace must be there
before what lives in it can even be sent (K-092)."""

from collections.abc import Mapping, Sequence

from windlass.charts.checks.views import get, table, text
from windlass.charts.order import identity, place

Manifest = Mapping[str, object]
FIRST = ("Namespace", "CustomResourceDefinition")
# They look at every other object: were they first, they might refuse the rest of their own set.
LAST = ("APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def stages(manifests: Sequence[Manifest]) -> list[list[int]]:
    """Indexes in the order of applying. What is in one stage must have become true before the next
    one begins; stages that would be empty are not there."""

    def key(index: int) -> tuple[int, tuple[str, str, str, str]]:
        return place(manifests[index]), identity(manifests[index])

    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index in sorted(range(len(manifests)), key=key):
        kind = text(manifests[index].get("kind"))
        found[0 if kind in FIRST else 2 if kind in LAST else 1].append(index)
    return [stage for stage in found if stage]


def backwards(manifests: Sequence[Manifest]) -> list[int]:
    """Indexes in the order of deleting: what needs something goes before it."""
    return [index for stage in reversed(stages(manifests)) for index in reversed(stage)]


class Givers:
    """What the objects of a set bring with them: kinds and namespaces."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self._kinds: dict[tuple[str, str], str] = {}
        self._namespaces: set[str] = set()
        for manifest in manifests:
            name = text(get(dict(manifest), "metadata", "name"))
            if manifest.get("kind") == "Namespace":
                self._namespaces.add(name)
            elif manifest.get("kind") == "CustomResourceDefinition":
                spec = table(manifest.get("spec"))
                kind = text(get(spec, "names", "kind"))
                self._kinds[text(spec.get("group")), kind] = name

    def kind_of(self, manifest: Manifest) -> str | None:
        """The definition in this set that the object's kind comes from."""
        group, kind, _, _ = identity(manifest)
        return self._kinds.get((group, kind))

    def brings_namespace(self, name: str) -> bool:
        return name in self._namespaces
