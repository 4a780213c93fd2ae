"""A form → the manifests of the whole application, in the order of applying.

`manifests(app)` gives the objects, `text(app)` their YAML. With `defaults: secure` everything that
the form leaves out gets a safe value and what workloads need is made; with `none` only what the
form says comes out.
"""

import base64
from typing import cast

from windlass.charts import order
from windlass.charts.documents import dump
from windlass.charts.generate import automatic, resources, workloads
from windlass.charts.model import Application

Data = dict[str, object]
HIDDEN = "••••••"


def manifests(app: Application) -> list[Data]:
    """Every object of the application once: what the form has itself is not made a second time."""
    own = [workloads.manifest(app, one) for one in app.workloads]
    own += [resources.manifest(app, one) for one in app.resources]
    if app.defaults == "none":
        return order.ordered(own)
    taken = {order.identity(one) for one in own}
    made: list[Data] = []
    for one in automatic.resources(app):
        data = resources.manifest(app, one)
        if order.identity(data) not in taken:
            taken.add(order.identity(data))
            made.append(data)
    return order.ordered([*own, *made])


def text(app: Application) -> str:
    """The same as YAML."""
    return dump(*manifests(app))


def hidden(manifest: Data) -> Data:
    """The manifest for eyes: values of a Secret are hidden, its keys are not (K-084)."""
    if manifest.get("kind") != "Secret":
        return manifest
    made = dict(manifest)
    for name, shown in (
        ("data", base64.b64encode(HIDDEN.encode()).decode()),
        ("stringData", HIDDEN),
    ):
        if isinstance(found := made.get(name), dict):
            made[name] = dict.fromkeys(cast(Data, found), shown)
    return made
