"""A finding stands beside the field that causes it, and its fix is made there."""

import copy
from typing import Any

import pytest

from windlass.charts import form, order
from windlass.charts.checks import engine
from windlass.charts.checks.engine import Options
from windlass.charts.describe import brief, describe
from windlass.charts.documents import dump, read
from windlass.charts.form import fields, layout, live, mending, places, recover, texts
from windlass.charts.generate import manifests
from windlass.charts.model import Application

Data = dict[str, Any]


def parsed(data: Data) -> Application:
    app, flaws = form.parse(data)
    assert flaws == []
    assert app is not None
    return app


def shop(type: str = "Deployment", **more: Any) -> Data:
    workload: Data = {"name": "web", "type": type, "containers": [{"image": "a:1", "ports": [80]}]}
    if type == "CronJob":
        workload["cronJob"] = {"schedule": "@daily"}
    return {"namespace": "shop", "domain": "shop.example", "workloads": [{**workload, **more}]}


def at(data: Data, kind: str, *path: str | int) -> places.Path:
    app = parsed(data)
    made = manifests(app)
    index = next(index for index, one in enumerate(made) if one["kind"] == kind)
    return places.place(app, places.origins(app, made)[index], path)


@pytest.mark.parametrize(
    ("type", "path", "expected"),
    [
        ("Deployment", "spec.template.spec.containers.0.image", "containers.0.image"),
        ("Deployment", "spec.template.spec.hostNetwork", "pod.hostNetwork"),
        ("Deployment", "spec.replicas", "replicas"),
        ("Deployment", "spec.strategy.type", "deployment.strategy.type"),
        ("Deployment", "spec.template.metadata.labels.a", "podLabels.a"),
        ("Deployment", "metadata.annotations.a", "annotations.a"),
        ("StatefulSet", "spec.updateStrategy", "statefulSet.updateStrategy"),
        ("DaemonSet", "spec.template.spec.initContainers.1.env.0", "initContainers.1.env.0"),
        ("Pod", "spec.volumes.0", "pod.volumes.0"),
        ("CronJob", "spec.schedule", "cronJob.schedule"),
        ("CronJob", "spec.jobTemplate.spec.backoffLimit", "job.backoffLimit"),
        ("CronJob", "spec.jobTemplate.spec.template.spec.containers.0.env", "containers.0.env"),
    ],
)
def test_a_place_of_a_workload_is_a_field_of_the_form(type: str, path: str, expected: str):
    parts = [int(one) if one.isdecimal() else one for one in path.split(".")]

    found = at(shop(type), type, *parts)

    assert ".".join(map(str, found)) == f"workloads.0.{expected}"


def test_what_nobody_wrote_leads_to_what_makes_it():
    data = shop(storage=[{"name": "d", "mountPath": "/d", "size": "1Gi"}])

    assert at(data, "HTTPRoute", "spec") == ("domain",)
    assert at(data, "Service", "spec") == ("workloads", 0, "containers")
    assert at(data, "PersistentVolumeClaim", "spec") == ("workloads", 0, "storage")
    assert at(data, "NetworkPolicy", "spec") == ("network",)


def test_a_secret_leads_to_its_plain_values():
    data = shop()
    data["resources"] = [
        {"type": "Secret", "name": "s", "values": {"a": "b"}, "secretType": "Opaque"},
        {"type": "Manifest", "manifest": {"apiVersion": "a/v1", "kind": "B", "metadata": {}}},
    ]

    assert at(data, "Secret", "data", "a") == ("resources", 0, "values", "a")
    assert at(data, "Secret", "type") == ("resources", 0, "secretType")
    assert at(data, "B", "spec", "x") == ("resources", 1, "manifest", "spec", "x")


RISKY: Data = {
    "securityContext": {
        "privileged": True,
        "allowPrivilegeEscalation": True,
        "capabilities": {"add": ["NET_ADMIN"], "drop": ["MKNOD"]},
    },
    "image": "ghcr.io/acme/web:1.0.0",
}


def test_every_fix_that_the_form_has_a_field_for_is_made_in_the_form():
    data: Data = {"workloads": [{"name": "web", "containers": [RISKY], "pod": {"hostPID": True}}]}
    mended: list[str] = []
    for _ in range(20):
        app = parsed(data)
        report = engine.check([read(dump(*manifests(app)))], Options())
        for one in report.counted:
            try:
                data = mending.mended(data, app, one, Options())
            except mending.Unfixable:
                continue
            mended.append(one.rule)
            break
        else:
            break

    container = data["workloads"][0]["containers"][0]
    assert "privileged" in mended
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not any(one.fix for one in report.counted if one.rule in mended)
    assert RISKY["securityContext"]["privileged"] is True, "what was given stays as it is"


def test_what_no_field_can_mend_is_refused():
    app = parsed({"workloads": [{"name": "web", "containers": [{"image": "a"}]}]})
    report = engine.check([read(dump(*manifests(app)))], Options())
    without = next(one for one in report.counted if not one.fix)

    with pytest.raises(mending.Unfixable):
        mending.mended({}, app, without, Options())


def test_every_field_is_in_exactly_one_section_and_parts_are_known():
    model = fields.model()

    for name, part in model.parts.items():
        names = [one.name for one in fields.every(part)]
        assert len(names) == len(set(names)), name
        for one in fields.every(part):
            assert one.kind in {
                *("text", "amount", "number", "intOrText", "flag", "choice", "texts", "amounts"),
                *("lines", "numbers", "part", "parts", "anything"),
            }, (name, one.name)
            assert (one.of in model.parts) == (one.kind in ("part", "parts")), (name, one.name)
    hidden = {"Application": {"workloads", "resources"}, "Workload": {"id", "type"}}
    known = {one.__name__: one for one in fields.structs()}
    for name, struct in known.items():
        expected = {one.encode_name for one in fields.infos(struct)}
        shown = {one.name for one in fields.every(model.parts[name])}
        assert shown == expected - hidden.get(name, {"id"}), name


def test_a_page_can_say_what_a_field_is():
    container = {one.name: one for one in fields.every(fields.model().parts["Container"])}
    top = {one.name: one for one in fields.every(fields.model().parts["Application"])}

    assert container["imagePullPolicy"].options == ["Always", "IfNotPresent", "Never"]
    assert container["imagePullPolicy"].help.startswith("Image pull policy.")
    assert container["workingDir"].label == "Working directory"
    assert top["namespace"].default == "default"
    assert top["environment"].options == ["production", "staging", "preview"]
    replicas = next(
        one for one in fields.every(fields.model().parts["Workload"]) if one.name == "replicas"
    )
    assert replicas.only == list(layout.ONLY["Workload"]["replicas"])
    assert replicas.least == 0


@pytest.mark.parametrize(
    ("kind", "path", "type", "says"),
    [
        ("apps/v1/Deployment", "spec.replicas", "whole number", "Number of desired pods"),
        (
            "apps/v1/Deployment",
            "spec.strategy.rollingUpdate.maxSurge",
            "whole number or text",
            "pods",
        ),
        ("v1/Pod", "spec.containers.0.securityContext.seccompProfile.type", "one of", "seccomp"),
        ("v1/Pod", "spec.containers.0.env.0.valueFrom.secretKeyRef.key", "text", "secret"),
        ("v1/ConfigMap", "metadata.labels.app", "text", ""),
        (
            "gateway.networking.k8s.io/v1/HTTPRoute",
            "spec.rules.0.matches.0.path.type",
            "one of",
            "",
        ),
        ("v1/Pod", "", "mapping", "Pod is a collection of containers"),
    ],
)
def test_kubernetes_says_what_a_field_is(kind: str, path: str, type: str, says: str):
    api, _, name = kind.rpartition("/")
    parts = tuple(int(one) if one.isdecimal() else one for one in path.split(".") if one)

    found = describe(api, name, parts)

    assert found is not None
    assert found.type.startswith(type)
    assert says in found.description
    assert describe(api, name, (*parts, "nonsense", "x")) is None


def test_a_description_is_cut_after_a_sentence():
    assert brief("One thing. Another thing. More info: https://x.example") == (
        "One thing. Another thing."
    )
    assert brief("") == ""
    assert len(brief("word " * 200)) <= 220


def test_fields_that_may_hold_anything_are_yaml():
    given = shop(extra="spec:\n  paused: true\n")
    given["workloads"][0]["containers"][0]["extra"] = "stdin: ["
    given["resources"] = [{"type": "Manifest", "manifest": "kind: A\napiVersion: b/v1\n"}]

    data, flaws = texts.opened(given)

    assert data["workloads"][0]["extra"] == {"spec": {"paused": True}}
    assert data["resources"] == [
        {"type": "Manifest", "manifest": {"kind": "A", "apiVersion": "b/v1"}}
    ]
    assert [one.path for one in flaws] == [("workloads", 0, "containers", 0, "extra")]
    shown = texts.shown(data)
    assert shown["workloads"][0]["extra"] == "spec:\n  paused: true\n"
    assert texts.opened(texts.shown(texts.opened(shown)[0]))[0] == texts.opened(shown)[0]


def test_objects_of_a_cluster_lose_what_the_cluster_added():
    made = manifests(parsed(shop()))
    served: list[Data] = []
    for one in copy.deepcopy(made):
        metadata = {**one["metadata"], "uid": "1", "resourceVersion": "7", "managedFields": []}  # type: ignore[dict-item]
        served.append({**one, "metadata": metadata, "status": {"x": 1}})
    web = next(one for one in served if one["kind"] == "Deployment")
    web["spec"]["progressDeadlineSeconds"] = 600
    web["spec"]["template"]["spec"] |= {"dnsPolicy": "ClusterFirst", "serviceAccount": "shop"}
    web["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"] = "File"
    service = next(one for one in served if one["kind"] == "Service")
    service["spec"] |= {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ipFamilies": ["IPv4"]}
    owned = {"metadata": {"name": "p", "uid": "2", "ownerReferences": [{"controller": True}]}}
    served += [
        {"apiVersion": "v1", "kind": "Pod", **owned},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}},
    ]

    found = live.applied(served)

    assert [one["kind"] for one in found] == [one["kind"] for one in made]
    # What is written where nobody says it need not be said.
    deployment = next(one for one in made if one["kind"] == "Deployment")
    del deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["periodSeconds"]  # type: ignore[index]
    for one, other in zip(found, made, strict=True):
        if one["kind"] != "Service":
            assert one == other
    again = next(one for one in found if one["kind"] == "Service")
    assert "clusterIP" not in again["spec"]
    assert manifests(recover.form(found)) == order.ordered(found)
