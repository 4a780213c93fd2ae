"""What is made of a form: golden files of each kind, the rules of what is made by itself."""

import base64
import json

import msgspec
import pytest

from tests.charts.rendering import HERE, OUTPUT, made
from windlass.charts import form, order
from windlass.charts.documents import dump, load, read, resources
from windlass.charts.form import recover
from windlass.charts.generate import HIDDEN, hidden, manifests, text
from windlass.charts.model import API_VERSIONS, Application

Data = dict[str, object]
MINIMAL = (HERE / "minimal.form.yaml").read_text()


def of(more: str, base: str = MINIMAL) -> list[Data]:
    return manifests(form.read(base + more))


def names(found: list[Data], kind: str) -> list[str]:
    return [one["metadata"]["name"] for one in found if one["kind"] == kind]  # type: ignore[index]


def one(found: list[Data], kind: str) -> Data:
    [match] = [each for each in found if each["kind"] == kind]
    return match


@pytest.mark.parametrize("name", OUTPUT)
def test_each_kind_is_made_as_its_golden_file_says(name: str):
    """`python -m tests.charts.rendering` writes the files; look at what changed."""
    assert OUTPUT[name] == (HERE / name).read_text()


def test_every_kind_has_a_golden_file_and_no_file_is_left_over():
    files = {path.name for path in HERE.glob("*.yaml") if not path.name.endswith(".form.yaml")}

    assert files == set(OUTPUT)
    assert {f"{kind}.yaml" for kind in API_VERSIONS} <= files


@pytest.mark.parametrize("name", ["minimal", "everything"])
def test_what_is_made_is_read_as_it_was_meant_and_stands_there_once(name: str):
    found = made(name)

    listed = resources(read(dump(*found)))
    assert listed.problems == []
    assert [one.data for one in listed.resources] == found
    assert len({order.identity(one) for one in found}) == len(found)
    assert [order.place(one) for one in found] == sorted(order.place(one) for one in found)


@pytest.mark.parametrize("name", ["minimal", "everything"])
def test_manifests_become_a_form_that_makes_them_again(name: str):
    found = made(name)

    recovered = recover.form(found)
    assert manifests(recovered) == found
    # And the form itself survives being stored as JSON and being written as YAML.
    stored = msgspec.to_builtins(recovered)
    assert msgspec.convert(json.loads(json.dumps(stored)), Application) == recovered
    assert form.read(dump(stored)) == recovered


def test_a_minimal_form_gets_everything_that_it_needs():
    """K-080, K-082, K-085: and no route, no quota, no certificate that nobody asked for."""
    assert [found["kind"] for found in of("")] == [
        *("Namespace", "ServiceAccount", "Role", "RoleBinding", "Service", "Deployment"),
        *("PodDisruptionBudget", "NetworkPolicy"),
    ]


def test_without_a_namespace_it_is_the_default_one_which_is_not_made():
    found = manifests(form.read(MINIMAL.replace("namespace: shop\n", "")))

    assert names(found, "Namespace") == []
    assert {each["metadata"]["namespace"] for each in found} == {"default"}  # type: ignore[index]


def test_an_own_service_an_own_route_and_own_objects_are_not_made_again():
    """K-090."""
    found = of("""
domain: shop.example.com
resources:
  - type: Service
    name: front
    spec: {selector: {app.kubernetes.io/name: web}, ports: [{port: 80, targetPort: http}]}
  - {type: NetworkPolicy, name: shop, spec: {podSelector: {}, policyTypes: [Ingress]}}
  - {type: ServiceAccount, name: shop}
""")

    assert names(found, "Service") == ["front"]
    assert names(found, "NetworkPolicy") == ["shop", "web-public"]
    assert names(found, "ServiceAccount") == ["shop"]
    route = one(found, "HTTPRoute")
    assert route["spec"]["rules"][0]["backendRefs"] == [{"name": "front", "port": 80}]  # type: ignore[index]
    own = of("domain: a.example.com\nresources: [{type: HTTPRoute, name: mine}]\n")
    assert names(own, "HTTPRoute") == ["mine"]


def test_a_workload_without_ports_has_no_service():
    assert names(of("").copy(), "Service") == ["web"]
    assert names(manifests(form.read(MINIMAL.replace("ports: [8080]", ""))), "Service") == []


def test_the_route_names_the_domain_the_gateway_and_real_ports():
    """K-083: and its pods let the gateway in."""
    found = of("domain: shop.example.com\ngateway: {name: public, namespace: edge}\n")

    assert one(found, "HTTPRoute")["spec"] == {
        "parentRefs": [{"name": "public", "namespace": "edge"}],
        "hostnames": ["shop.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "web", "port": 8080}],
            }
        ],
    }
    [_, public] = [each for each in found if each["kind"] == "NetworkPolicy"]
    assert public["spec"]["ingress"] == [  # type: ignore[index]
        {
            "from": [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}
            ],
            "ports": [{"port": 8080, "protocol": "TCP"}],
        }
    ]


def test_an_ingress_instead_of_a_route_carries_certificate_and_limit():
    found = of("""
domain: shop.example.com
routing: ingress
ingressClass: nginx
requestsPerSecond: 7
certificate: {clusterIssuer: corporate}
""")

    ingress = one(found, "Ingress")
    limit = {"nginx.ingress.kubernetes.io/limit-rps": "7"}
    assert ingress["metadata"]["annotations"] == limit  # type: ignore[index]
    assert ingress["spec"]["tls"] == [  # type: ignore[index]
        {"hosts": ["shop.example.com"], "secretName": "shop-tls"}
    ]
    assert names(found, "Issuer") == names(found, "HTTPRoute") == []
    issuer = {"name": "corporate", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    assert one(found, "Certificate")["spec"]["issuerRef"] == issuer  # type: ignore[index]


def test_each_rate_limiter_gets_its_own_object():
    """K-087."""
    domain = "domain: shop.example.com\nrequestsPerSecond: 7\n"
    envoy, traefik = of(domain), of(f"{domain}rateLimiter: traefik\n")

    [target] = one(envoy, "BackendTrafficPolicy")["spec"]["targetRefs"]  # type: ignore[index]
    assert target["name"] == one(envoy, "HTTPRoute")["metadata"]["name"]  # type: ignore[index]
    assert one(traefik, "Middleware")["spec"] == {"rateLimit": {"average": 7, "burst": 7}}
    [rule] = one(traefik, "HTTPRoute")["spec"]["rules"]  # type: ignore[index]
    assert rule["filters"][0]["extensionRef"]["name"] == "shop"
    assert names(traefik, "BackendTrafficPolicy") == []


def test_a_preview_has_one_pod_and_no_budget():
    """D-60."""
    found = of("environment: preview\n")

    assert one(found, "Deployment")["spec"]["replicas"] == 1  # type: ignore[index]
    assert names(found, "PodDisruptionBudget") == []


def test_what_a_form_says_is_not_changed_by_defaults():
    found = manifests(
        form.read("""
namespace: shop
workloads:
  - name: root
    replicas: 1
    pod: {automountServiceAccountToken: true, serviceAccountName: own}
    containers:
      - image: ghcr.io/acme/root:1
        ports: [80]
        resources: {limits: {cpu: 50m}, requests: {memory: 1Gi}}
        readinessProbe: {httpGet: {path: /, port: 80}}
        securityContext: {privileged: true, runAsUser: 0, readOnlyRootFilesystem: false}
""")
    )

    pod = one(found, "Deployment")["spec"]["template"]["spec"]  # type: ignore[index]
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "readOnlyRootFilesystem": False,
    }
    assert container["resources"] == {
        "limits": {"cpu": "50m", "memory": "1Gi"},
        "requests": {"memory": "1Gi", "cpu": "50m"},
    }
    assert container["readinessProbe"] == {"httpGet": {"path": "/", "port": 80}}
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["automountServiceAccountToken"] is True
    assert "volumes" not in pod
    assert names(found, "ServiceAccount") == names(found, "Role") == []


def test_a_service_with_an_address_of_its_own_is_reached_by_everybody():
    found = of("""
resources:
  - type: Service
    name: web
    spec: {type: LoadBalancer, selector: {app.kubernetes.io/name: web}, ports: [{port: 80}]}
""")
    [_, public] = [each for each in found if each["kind"] == "NetworkPolicy"]

    assert public["spec"]["ingress"] == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]  # type: ignore[index]


def test_secrets_are_coded_once_and_hidden_from_eyes():
    """K-084."""
    secret = one(of("resources: [{type: Secret, name: s, values: {k: ünï}}]\n"), "Secret")

    assert base64.b64decode(secret["data"]["k"]).decode() == "ünï"  # type: ignore[index]
    shown = hidden(secret)
    assert list(shown["data"]) == ["k"]  # type: ignore[call-overload]
    assert base64.b64decode(shown["data"]["k"]).decode() == HIDDEN  # type: ignore[index]
    assert hidden({"kind": "ConfigMap", "data": {"a": "b"}})["data"] == {"a": "b"}


def test_the_text_is_all_documents_in_order():
    app = form.read(MINIMAL)

    assert [one.data for one in load(text(app))] == manifests(app)
