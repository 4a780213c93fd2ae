"""A form's mistakes are all named, each at its line, with what to do (K-078, K-093)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.charts.rendering import HERE
from windlass.charts import form
from windlass.charts.documents import Unreadable, load
from windlass.charts.form import recover, reference
from windlass.charts.generate import manifests
from windlass.charts.order import ordered

WORKLOAD = "workloads:\n- name: web\n  containers:\n  - image: a:1\n"
MISTAKES = {
    "not a list": ("workloads: web\n", 1, "type"),
    "no object": ("- a\n", 1, "form"),
    "a manifest": ("apiVersion: v1\nkind: Pod\n", 1, "form"),
    "nothing": ("", 1, "form"),
    "two documents": ("a: 1\n---\nb: 1\n", 3, "form"),
    "no workload": ("namespace: shop\n", 1, "no-workload"),
    "an unknown field": (f"{WORKLOAD}  replica: 3\n", 5, "unknown-field"),
    "a number for a text": (WORKLOAD.replace("a:1", "5"), 4, "type"),
    "an unknown kind": (f"{WORKLOAD}resources:\n- type: Servic\n", 6, "type"),
    "a port out of range": (f"{WORKLOAD}    ports: [0]\n", 5, "port"),
    "a port's name": (f"{WORKLOAD}    ports: [{{containerPort: 1, name: A}}]\n", 5, "port-name"),
    "a name": (WORKLOAD.replace("web", "Web"), 2, "name"),
    "a namespace": (f"namespace: a_b\n{WORKLOAD}", 1, "name"),
    "a domain": (f"domain: https://a.example.com\n{WORKLOAD}", 1, "domain"),
    "a name twice": (f"{WORKLOAD}- name: web\n  containers: [{{image: b}}]\n", 5, "duplicate-name"),
    "no container": ("workloads:\n- name: web\n", 2, "no-container"),
    "no image": ("workloads:\n- name: web\n  containers: [{}]\n", 3, "no-image"),
    "no schedule": (f"{WORKLOAD}  type: CronJob\n", 2, "schedule"),
    "a bad schedule": (f"{WORKLOAD}  type: CronJob\n  cronJob: {{schedule: now}}\n", 6, "schedule"),
    "an amount": (f"quota: {{limitsCpu: lots}}\n{WORKLOAD}", 1, "amount"),
    "a negative amount": (f"{WORKLOAD}    resources: {{limits: {{cpu: -1}}}}\n", 5, "amount"),
    "a request over its limit": (
        f"{WORKLOAD}    resources:\n      requests: {{cpu: 1}}\n      limits: {{cpu: 500m}}\n",
        6,
        "request-over-limit",
    ),
    "a mount of nothing": (
        f"{WORKLOAD}    volumeMounts: [{{name: a, mountPath: /a}}]\n",
        5,
        "no-volume",
    ),
    "a variable": (f"{WORKLOAD}    env: {{'a=b': x}}\n", 5, "variable"),
    "a limit without a route": (f"requestsPerSecond: 5\n{WORKLOAD}", 1, "limit-without-route"),
    "no positive limit": (f"requestsPerSecond: 0\n{WORKLOAD}", 1, "type"),
    "a certificate of nothing": (f"certificate: {{}}\n{WORKLOAD}", 1, "certificate-without-domain"),
    "a limiter that is not asked": (
        f"domain: a.example.com\nrateLimiter: ingress-nginx\n{WORKLOAD}",
        2,
        "rate-limiter",
    ),
    "a scale upside down": (f"{WORKLOAD}  autoscale: {{min: 5, max: 2}}\n", 5, "autoscale"),
    "a resource twice": (
        f"{WORKLOAD}resources:\n- {{type: Role, name: a}}\n- {{type: Role, name: a}}\n",
        7,
        "duplicate-name",
    ),
    "a resource's name": (f"{WORKLOAD}resources: [{{type: ConfigMap, name: A}}]\n", 5, "name"),
    "a claim without a name": (
        f"{WORKLOAD}  statefulSet: {{volumeClaimTemplates: [{{metadata: 5}}]}}\n"
        "  autoscale: {min: 5, max: 2}\n",
        6,
        "autoscale",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_at_its_line_with_what_to_do(case: str):
    text, line, code = MISTAKES[case]

    with pytest.raises(Unreadable) as caught:
        form.read(text, "app.yaml")

    found = [one for one in caught.value.problems if one.code == code]
    assert [one.line for one in found] == [line]
    assert found[0].hint
    assert found[0].file == "app.yaml"


def test_all_mistakes_are_named_at_once_and_near_names_are_offered():
    with pytest.raises(Unreadable) as caught:
        form.read(
            "quotas: {}\nworkloads:\n- name: a\n  replica: 1\n- nam: b\nresources: [{type: X}]\n"
        )

    assert [(one.line, one.code) for one in caught.value.problems] == [
        (1, "unknown-field"),
        (4, "unknown-field"),
        (5, "unknown-field"),
        (6, "type"),
    ]
    assert "Did you mean `replicas`?" in caught.value.problems[1].hint


def test_a_form_with_every_kind_has_no_mistake():
    form.read((HERE / "everything.form.yaml").read_text())


# Data that looks like manifests, is often wrong, and holds what no form knows.
LEAF = st.sampled_from(
    ["web", "", "1", 1, 0, 1.5, True, None, [], {}, ["a"], {"a": "b"}, [{"name": "x"}]]
)
KEYS = st.sampled_from(
    [
        *("name", "namespace", "labels", "annotations", "replicas", "selector", "template", "spec"),
        *("metadata", "containers", "initContainers", "image", "ports", "env", "resources", "type"),
        *("schedule", "jobTemplate", "data", "stringData", "rules", "volumes", "securityContext"),
        *("status", "unknown", "id", "extra", "values", "strategy", "serviceName", "roleRef"),
    ]
)
TREE = st.recursive(
    LEAF,
    lambda inner: (
        st.dictionaries(KEYS, inner, max_size=4)
        | st.lists(st.dictionaries(KEYS, inner, max_size=3), max_size=2)
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet"),
        *("Service", "Secret", "ConfigMap", "Role", "RoleBinding", "Namespace", "HTTPRoute"),
        *("Ingress", "Gateway", "PersistentVolume", "Widget", "Manifest", "ResourceQuota"),
    ]
)
MANIFESTS = st.builds(
    lambda kind, version, metadata, rest: {
        "apiVersion": version,
        "kind": kind,
        "metadata": metadata,
        **rest,
    },
    KINDS,
    st.sampled_from(["v1", "apps/v1", "batch/v1", "extensions/v1beta1"]),
    st.dictionaries(KEYS, TREE, max_size=3) | st.builds(lambda name: {"name": name}, LEAF),
    st.dictionaries(KEYS, TREE, max_size=3).map(
        lambda rest: {key: one for key, one in rest.items() if key != "metadata"}
    ),
)


@given(st.lists(MANIFESTS, max_size=3))
def test_nothing_of_any_manifest_is_lost_in_a_form(found: list[dict[str, object]]):
    assert manifests(recover.form(found)) == ordered(found)


@pytest.mark.parametrize("name", ["minimal", "everything"])
def test_the_schema_for_editors_takes_every_form_and_refuses_unknown_fields(name: str):
    data = load((HERE / f"{name}.form.yaml").read_text())[0].data
    validator = Draft202012Validator(reference.schema())

    assert [error.message for error in validator.iter_errors(data)] == []
    assert not validator.is_valid({**data, "replica": 1})  # type: ignore[dict-item]


def test_every_field_at_the_top_of_a_form_is_explained():
    fields = reference.schema()["$defs"]["Application"]["properties"]

    assert [name for name, kind in fields.items() if not kind.get("description")] == []
