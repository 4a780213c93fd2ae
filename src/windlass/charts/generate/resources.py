"""A resource of the form → its manifest."""

import base64
from typing import cast

import msgspec

from windlass.charts.generate import names
from windlass.charts.generate.workloads import metadata
from windlass.charts.model import API_VERSIONS, CLUSTER_WIDE, Application, Manifest, Resource

Data = dict[str, object]
_NOT_FIELDS = ("type", "id", "name", "namespace", "labels", "annotations", "extra")


def manifest(app: Application, resource: Resource) -> Data:
    """The resource's manifest."""
    if isinstance(resource, Manifest):
        return resource.manifest
    kind = str(resource.__struct_config__.tag)
    body = cast(Data, msgspec.to_builtins(resource))
    for name in _NOT_FIELDS:
        body.pop(name, None)
    if kind == "Secret":
        body = _secret(body)
    about = metadata(app, resource)
    if kind in CLUSTER_WIDE and resource.namespace is None:
        about.pop("namespace", None)
    made: Data = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": about}
    return cast(Data, names.merged({**made, **body}, resource.extra))


def _secret(body: Data) -> Data:
    made = dict(body)
    if "secretType" in made:
        made["type"] = made.pop("secretType")
    if "values" in made:
        plain = cast(dict[str, str], made.pop("values"))
        coded = {key: base64.b64encode(one.encode()).decode() for key, one in plain.items()}
        made["data"] = {**cast(Data, made.get("data") or {}), **coded}
    return made
