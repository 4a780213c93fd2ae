"""Schemas: what the API server would say about kinds, fields and values, with its place."""

import json

import pytest

from windlass.charts import openapi, schemas
from windlass.charts.checks import engine
from windlass.charts.checks.engine import Finding, Options
from windlass.charts.documents import read

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: 1}
spec:
  replicas: "3"
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: always
      containers:
        - name: web
          image: nginx:1.29
          livenesProbe: {}
          ports: [{containerPort: 99999999999}]
          resources: {limits: {memory: 1 GB, cpu: 0.5}}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: integer, minimum: 1, maximum: 5}
                mode: {type: string, enum: [open, closed]}
                code: {type: string, pattern: "^(?i)[a-z]+$", maxLength: 4}
                port: {x-kubernetes-int-or-string: true}
                tags: {type: array, items: {type: string}, maxItems: 1}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              oneOf:
                - required: [mode]
                - required: [code]
"""
SHOP = "---\napiVersion: example.com/v1\nkind: Shop\nmetadata: {{name: a}}\nspec: {}\n"


def found(text: str, kubernetes: str = "") -> list[Finding]:
    options = Options(only=frozenset(["schema", "deprecated-api"]), kubernetes=kubernetes)
    return engine.check([read(text, "a.yaml")], options).findings


def test_all_errors_are_told_with_path_line_column_and_what_was_expected() -> None:
    got = {engine.dotted(one.path): one for one in found(DEPLOYMENT, "1.33")}

    assert list(got) == [
        "metadata.labels.tier",
        "spec.replicas",
        "spec.template.spec.restartPolicy",
        "spec.template.spec.containers[0].livenesProbe",
        "spec.template.spec.containers[0].ports[0].containerPort",
        "spec.template.spec.containers[0].resources.limits.memory",
    ]
    slip = got["spec.template.spec.containers[0].livenesProbe"]
    assert (slip.file, slip.line, slip.column) == ("a.yaml", 16, 11)
    assert "did you mean `livenessProbe`" in slip.message
    assert "Always, OnFailure, Never" in got["spec.template.spec.restartPolicy"].message


@pytest.mark.parametrize("version", schemas.versions())
def test_every_kind_of_every_version_can_be_compiled(version: str) -> None:
    found = schemas.of(version)
    for name in schemas.packed().kinds:
        api_version, _, kind = name.rpartition("/")
        if check := found.find(api_version, kind):
            check({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": {}})
    assert found.find("apps/v1", "Deployment") is not None
    assert found.find("gateway.networking.k8s.io/v1", "HTTPRoute") is not None
    assert found.find("cert-manager.io/v1", "ClusterIssuer") is not None
    assert found.find("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy") is not None


def test_versions_begin_with_1_30_and_another_is_refused_with_those_that_are_known() -> None:
    assert schemas.versions()[0] == "1.30"
    with pytest.raises(schemas.UnknownVersion, match=r"from 1\.30 to 1\."):
        schemas.of("1.12")


def test_a_field_that_came_later_is_unknown_before() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, image: a:1}\n  resources: {limits: {cpu: 1}}\n"  # noqa: E501

    assert "no field `resources`" in found(pod, "1.30")[0].message
    assert found(pod, "1.34") == []


def test_null_is_as_good_as_absent() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: null}\nspec: {ports: null}\n"

    assert found(text) == []


def test_a_group_with_a_longer_name_is_not_taken_for_one_of_kubernetes() -> None:
    text = "apiVersion: networking.gke.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {x: 1}\n"

    assert found(text) == []


def test_a_kind_in_the_wrong_group_is_told_where_it_lives() -> None:
    text = "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n"
    text += "---\napiVersion: apps/v1\nkind: Deploiment\nmetadata: {name: a}\n"
    text += "---\napiVersion: apps/v2\nkind: Deployment\nmetadata: {name: a}\n"

    first, second, third = found(text)
    assert "expected apps/v1" in first.message
    assert "no Deploiment" in second.message
    assert "expected apps/v1" in third.message
    assert third.fix


def test_a_removed_version_says_since_when_and_what_instead() -> None:
    text = "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\n"

    assert "gone since 1.22: use networking.k8s.io/v1" in found(text)[0].message


def test_gateway_and_certificate_fields_are_checked() -> None:
    text = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\n"
        "spec:\n  parentRefs: [{nam: a}]\n  hostname: [a]\n  rules:\n"
        "    - matches: [{path: {type: Prefix, value: /}}]\n"
        "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\n"
        "spec: {secretName: a, dnsNames: a.example.com}\n"
    )

    assert {engine.dotted(one.path) for one in found(text)} == {
        "spec.parentRefs[0].nam",
        "spec.parentRefs[0]",
        "spec.hostname",
        "spec.rules[0].matches[0].path.type",
        "spec",
        "spec.dnsNames",
    }


def test_a_definition_and_its_object_in_one_set_are_checked_together() -> None:
    good = CRD + SHOP.format("{size: 2, code: AbC, port: 80, free: {a: {b: 1}}}")
    bad = CRD + SHOP.format(
        "{size: 9, mode: ajar, code: ab1cd, port: [1], tags: [a, b], colour: red}"
    )

    assert found(good) == []
    assert sorted(one.message.split(";")[0] for one in found(bad)) == [
        "a list where a number or a string must be",
        "a value that is not allowed here",
        "it fits several of the forms that exclude each other",
        "text of the wrong form",
        "the number 9 is out of range",
        "there are 2 items",
        "there are 5 characters",
        "there is no field `colour` here",
    ]


def test_a_pattern_that_nothing_reads_lets_everything_through() -> None:
    check = openapi.Compiler({}).check({"type": "string", "pattern": "(?<broken"})

    assert check("anything") is None


def test_the_schemas_of_a_cluster_are_used() -> None:
    document = {
        "components": {
            "schemas": {
                "com.example.Toy": {
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "spec": {"allOf": [{"$ref": "#/components/schemas/com.example.Spec"}]},
                    },
                    "x-kubernetes-group-version-kind": [
                        {"group": "toys.example.com", "version": "v1", "kind": "Toy"}
                    ],
                },
                "com.example.Spec": {
                    "type": "object",
                    "properties": {"size": {"type": "integer", "format": "int32"}},
                },
            }
        }
    }
    added = schemas.of("1.33").with_added(schemas.from_openapi(json.dumps(document)))
    check = added.find("toys.example.com/v1", "Toy")
    assert check is not None
    toy = {"apiVersion": "toys.example.com/v1", "kind": "Toy"}

    assert check({**toy, "spec": {"size": 3}}) is None
    assert [one.path for one in check({**toy, "spec": {"size": "3"}}) or ()] == [["spec", "size"]]
    assert [one.path for one in check({**toy, "spec": {"siz": 3}}) or ()] == [["spec", "siz"]]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"components": {"schemas": 3}}'])
def test_what_is_no_openapi_document_is_refused(text: str) -> None:
    with pytest.raises(schemas.UnreadableSchema):
        schemas.from_openapi(text)


def test_the_pack_is_small() -> None:
    size = len(
        schemas.resources.files("windlass.charts").joinpath("data/schemas.zlib").read_bytes()
    )
    assert size < 100_000
    texts = schemas.descriptions()
    assert "containers" in texts["io.k8s.api.core.v1.PodSpec"]


def test_names_and_durations_of_the_gateway_api_fit_their_patterns() -> None:
    route = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: a}
spec:
  hostnames: ["*.example.com", Shop_Example.com]
  parentRefs: [{name: a, sectionName: https}, {name: a, sectionName: HTTPS!}]
  rules: [{timeouts: {request: 10s}}, {timeouts: {request: 10 seconds}}]
"""
    data = read(route).documents[0].data
    check = schemas.of("1.33").find("gateway.networking.k8s.io/v1", "HTTPRoute")
    assert check is not None

    wrong = [(one.code, tuple(one.path)) for one in schemas.violations(check, data)]

    assert wrong == [
        ("pattern", ("spec", "hostnames", 1)),
        ("pattern", ("spec", "parentRefs", 1, "sectionName")),
        ("pattern", ("spec", "rules", 1, "timeouts", "request")),
    ]
