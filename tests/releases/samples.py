"""Manifests that our own check passes without a warning."""

from windlass.charts import form
from windlass.charts.documents import dump
from windlass.charts.generate import manifests


def config(name: str = "settings", **data: str) -> str:
    lines = "".join(f"  {key}: {value!r}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n" + (
        f"data:\n{lines}" if lines else ""
    )


def web(*, image: str = "ghcr.io/acme/web:1", name: str = "web", more: str = "") -> str:
    """A whole application of one workload, as the builder makes it, without its namespace."""
    made = manifests(
        form.read(
            f"namespace: shop\nworkloads:\n  - name: {name}\n{more}"
            f"    containers: [{{image: '{image}', ports: [8080]}}]\n"
        )
    )
    return dump(*(one for one in made if one["kind"] != "Namespace"))


def together(*texts: str) -> str:
    return "---\n".join(texts)
