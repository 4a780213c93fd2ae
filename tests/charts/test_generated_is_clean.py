"""What is made of a form passes our own check in every profile (K-081, K-137), and forms of any
shape make objects that fit each other.
"""

import copy
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.charts.rendering import HERE
from windlass.charts import form
from windlass.charts.checks.engine import Options, check
from windlass.charts.checks.rule import Profile, Severity
from windlass.charts.documents import dump, load, read
from windlass.charts.form import recover
from windlass.charts.generate import manifests
from windlass.charts.order import identity

Data = dict[str, object]
MINIMAL = (HERE / "minimal.form.yaml").read_text()
EVERYTHING = (HERE / "everything.form.yaml").read_text()
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
FORMS = {
    "minimal": MINIMAL,
    "routed": f"""{MINIMAL}
domain: shop.example.com
requestsPerSecond: 5
certificate: {{}}
quota: {{limitsCpu: 5}}
gateway: {{className: envoy}}
""",
    "by an ingress": f"""{MINIMAL}
domain: shop.example.com
routing: ingress
ingressClass: nginx
requestsPerSecond: 5
certificate: {{}}
""",
    "every kind": "namespace: shop\nworkloads:\n"
    + "".join(
        f"- {{name: w{at}, type: {kind}, containers: [{{image: 'ghcr.io/acme/w:1', ports: [80]}}]"
        + (", cronJob: {schedule: '@daily'}}\n" if kind == "CronJob" else "}\n")
        for at, kind in enumerate(KINDS)
    ),
    "scaled, with disks": f"""{MINIMAL}
    autoscale: {{max: 5}}
    storage: [{{name: data, mountPath: /data, size: 1Gi, accessMode: ReadWriteMany}}]
  - name: database
    type: StatefulSet
    storage: [{{name: data, mountPath: /data, size: 1Gi}}]
    containers: [{{image: "ghcr.io/acme/database:17", ports: [5432]}}]
""",
}


def findings(text: str, profile: Profile) -> list[str]:
    report = check([read(dump(*manifests(form.read(text))))], Options(profile=profile))
    return [
        f"{one.severity.value} {one.rule} {one.kind}/{one.name}: {one.message}"
        for one in report.findings
        if one.severity is not Severity.info
    ]


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", FORMS)
def test_what_is_made_passes_our_own_check_without_a_warning(name: str, profile: Profile):
    assert findings(FORMS[name], profile) == []


def test_every_kind_and_field_fits_the_schema():
    found = [one for one in findings(EVERYTHING, Profile.baseline) if one.startswith("error")]

    assert found == []


def places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data)  # type: ignore[arg-type]
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


WHOLE = load(EVERYTHING)[0].data
PLACES = sorted(places(WHOLE), key=repr)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(PLACES), max_size=30), st.sampled_from(["secure", "none"]))
def test_any_part_of_a_form_makes_objects_that_fit_each_other(
    without: list[tuple[str | int, ...]], defaults: str
):
    """Whatever is left out: each object once, selectors that match, and a form that comes back."""
    data = copy.deepcopy(WHOLE)
    for path in sorted(without, key=len, reverse=True):
        parent: object = data
        try:
            for part in path[:-1]:
                parent = parent[part]  # type: ignore[index]
            del parent[path[-1]]  # type: ignore[attr-defined]
        except (KeyError, IndexError):
            continue
    app, flaws = form.parse({**data, "defaults": defaults})
    assert all(flaw.hint for flaw in flaws)
    if app is None or flaws:
        return

    made = manifests(app)

    assert manifests(recover.form(made)) == made
    assert [one.data for one in load(dump(*made))] == made
    if defaults == "none":
        assert len(made) == len(app.workloads) + len(app.resources)
        return
    own = {identity(one["manifest"]) for one in data.get("resources", []) if "manifest" in one}
    assert len({identity(one) for one in made} | own) == len(made)
    for one in made:
        spec = one.get("spec")
        if isinstance(spec, dict) and "template" in spec and "selector" in spec:
            labels = spec["template"]["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_a_claim_inside_of_a_stateful_set_needs_no_kind():
    text = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a, namespace: shop}
spec:
  serviceName: a
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: a, image: "a:1"}]}
  volumeClaimTemplates:
  - metadata: {name: d}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
    options = Options(only=frozenset(["schema"]))
    owned = text.replace("{name: a, namespace: shop}", "{name: a, ownerReferences: [{name: x}]}")

    assert check([read(text)], options).findings == []
    [finding] = check([read(owned)], options).findings
    assert "`uid` is missing" in finding.message
