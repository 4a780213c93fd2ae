"""What differs between two states of an object, what is fixed, and the order of applying."""

import copy

from windlass.charts.changes import HIDDEN, Change, changes, secret_paths, shown
from windlass.charts.immutable import immutable
from windlass.charts.stages import Givers, backwards, stages

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "uid": "1", "resourceVersion": "7", "managedFields": [{}]},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "args": ["a", "b"],
                        "env": [{"name": "A", "value": "1"}],
                        "ports": [{"containerPort": 80}],
                    },
                    {"name": "side", "image": "side:1"},
                ]
            }
        },
    },
    "status": {"replicas": 2},
}


def changed(manifest, change):
    other = copy.deepcopy(manifest)
    change(other)
    return other


def paths(before, after):
    return [one.path for one in changes(before, after)]


def test_only_what_differs_is_told_by_the_name_of_its_item():
    def edit(one):
        one["spec"]["replicas"] = 3
        containers = one["spec"]["template"]["spec"]["containers"]
        containers.reverse()
        containers[1]["image"] = "web:2"
        containers[1]["env"].append({"name": "B", "value": "2"})
        containers[1]["args"] = ["a", "c", "b"]
        one["metadata"]["labels"] = {"example.com/team": "x"}
        one["metadata"]["resourceVersion"] = "8"
        one["status"] = {}

    found = changes(DEPLOYMENT, changed(DEPLOYMENT, edit))

    web = "spec.template.spec.containers[name=web]"
    assert found == [
        Change("metadata.labels", None, {"example.com/team": "x"}),
        Change("spec.replicas", 2, 3),
        Change(f"{web}.args", ["a", "b"], ["a", "c", "b"]),
        Change(f"{web}.env[name=B]", None, {"name": "B", "value": "2"}),
        Change(f"{web}.image", "web:1", "web:2"),
    ]


def test_an_object_that_comes_or_goes_is_one_change_without_what_the_server_wrote():
    (new,) = changes(None, DEPLOYMENT)

    assert new.path == ""
    assert new.before is None
    assert new.after["metadata"] == {"name": "web"}
    assert "status" not in new.after
    assert changes(None, None) == []
    assert changes(DEPLOYMENT, DEPLOYMENT) == []


def test_a_number_is_not_the_text_of_it_nor_true():
    assert paths({"spec": {"a": 1}}, {"spec": {"a": True}}) == ["spec.a"]
    assert paths({"spec": {"a": 1}}, {"spec": {"a": "1"}}) == ["spec.a"]


def secret(value):
    return {
        "kind": "Secret",
        "metadata": {"name": "db"},
        "data": {"password": value, "user": "dQ=="},
    }


def test_secrets_are_never_told_only_that_they_are_others():
    found = changes(secret("b2xk"), secret("bmV3"))

    assert [(one.path, one.before) for one in found] == [("data.password", HIDDEN)]
    assert "b2xk" not in repr(found)
    assert "bmV3" not in repr(found)
    assert "b2xk" not in repr(changes(None, secret("b2xk")))
    assert changes(secret("b2xk"), secret("b2xk")) == []


def test_a_password_in_the_environment_is_hidden_too():
    def edit(one):
        env = one["spec"]["template"]["spec"]["containers"][0]["env"]
        env.append({"name": "DB_PASSWORD", "value": "hunter2hunter2"})

    before = changed(DEPLOYMENT, edit)
    after = copy.deepcopy(before)
    after["spec"]["template"]["spec"]["containers"][0]["env"][1]["value"] = "correcthorse9"
    found = changes(before, after)

    path = "spec.template.spec.containers[name=web].env[name=DB_PASSWORD].value"
    assert [one.path for one in found] == [path]
    assert "hunter2" not in repr(found)
    assert "correcthorse9" not in repr(found)
    assert "hunter2" not in repr(shown(before))
    assert len(list(secret_paths(before))) == 1


def test_what_kubectl_noted_of_a_secret_is_not_shown():
    noted = secret("eA==")
    key = "kubectl.kubernetes.io/last-applied-configuration"
    noted["metadata"]["annotations"] = {key: '{"data":{"password":"cGxhaW4="}}'}

    assert "cGxhaW4=" not in repr(shown(noted))


def of(kind, spec=None, **more):
    return {"kind": kind, "metadata": {"name": "x"}, **({"spec": spec} if spec else {}), **more}


LABELS, OTHERS = {"matchLabels": {"a": "1"}}, {"matchLabels": {"a": "2"}}
JOB = {"template": {"spec": {"containers": [{"name": "j", "image": "j:1", "env": []}]}}}
JOB_LIVE = {
    "template": {
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "j", "image": "j:1", "imagePullPolicy": "Always"}],
        }
    }
}
JOB_OTHER = {"template": {"spec": {"containers": [{"name": "j", "image": "j:2"}]}}}
FIXED = [
    (
        of("Deployment", {"selector": LABELS}),
        of("Deployment", {"selector": OTHERS}),
        ["spec.selector"],
    ),
    (
        of("Deployment", {"selector": LABELS}),
        of("Deployment", {"selector": LABELS, "replicas": 9}),
        [],
    ),
    (of("Job", JOB_LIVE), of("Job", JOB), []),
    (of("Job", JOB_LIVE), of("Job", JOB_OTHER), ["spec.template"]),
    (
        of("StatefulSet", {"serviceName": "a", "replicas": 1}),
        of("StatefulSet", {"serviceName": "b", "replicas": 2}),
        ["spec.serviceName"],
    ),
    (
        of("Service", {"clusterIP": "10.0.0.1"}),
        of("Service", {"clusterIP": "None"}),
        ["spec.clusterIP"],
    ),
    (of("Service", {"clusterIP": "10.0.0.1"}), of("Service", {"ports": [{"port": 1}]}), []),
    (
        of(
            "PersistentVolumeClaim",
            {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
        ),
        of(
            "PersistentVolumeClaim",
            {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        ),
        ["spec.accessModes", "spec.resources.requests.storage"],
    ),
    (
        of("ConfigMap", immutable=True, data={"a": "1"}),
        of("ConfigMap", immutable=True, data={"a": "2"}),
        ["data"],
    ),
    (of("Secret", type="Opaque"), of("Secret", type="kubernetes.io/tls"), ["type"]),
    (
        of("RoleBinding", roleRef={"name": "a"}),
        of("RoleBinding", roleRef={"name": "b"}),
        ["roleRef"],
    ),
    (
        of("Pod", {"containers": [{"name": "a", "image": "a:1"}]}),
        of("Pod", {"containers": [{"name": "a", "image": "a:2"}]}),
        [],
    ),
    (
        of("Pod", {"containers": [{"name": "a", "args": ["x"]}]}),
        of("Pod", {"containers": [{"name": "a", "args": ["y"]}]}),
        ["spec.containers"],
    ),
]


def test_what_cannot_be_changed_is_named_and_defaults_of_the_server_are_no_change():
    assert [immutable(live, wanted) for live, wanted, _ in FIXED] == [one[2] for one in FIXED]


def test_an_amount_that_is_written_differently_is_the_same():
    live = of("Job", {"template": {"resources": {"limits": {"cpu": "1"}}}})
    wanted = of("Job", {"template": {"resources": {"limits": {"cpu": "1000m"}}}})

    assert immutable(live, wanted) == []


def named(kind, name, **more):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


DEFINITION = named(
    "CustomResourceDefinition", "w", spec={"group": "acme.dev", "names": {"kind": "Widget"}}
)
WIDGET = named("Widget", "one", apiVersion="acme.dev/v1")
SET = [
    WIDGET,
    named("Deployment", "b"),
    named("ValidatingWebhookConfiguration", "v"),
    named("ConfigMap", "c"),
    DEFINITION,
    named("Namespace", "shop"),
]


def test_what_others_need_is_a_stage_before_them_and_deleting_goes_the_other_way():
    kinds = [[SET[index]["kind"] for index in stage] for stage in stages(SET)]

    assert kinds == [
        ["Namespace", "CustomResourceDefinition"],
        ["ConfigMap", "Deployment", "Widget"],
        ["ValidatingWebhookConfiguration"],
    ]
    assert [SET[index]["kind"] for index in backwards(SET)] == [
        kind for stage in reversed(kinds) for kind in reversed(stage)
    ]
    assert stages([]) == []
    assert len(stages([WIDGET])) == 1


def test_what_a_set_brings_itself_is_known():
    givers = Givers(SET)

    assert givers.kind_of(WIDGET) == "w"
    assert givers.kind_of(named("Widget", "x", apiVersion="other.dev/v1")) is None
    assert givers.brings_namespace("shop")
    assert not givers.brings_namespace("other")
