"""The engine: sets of objects, profiles, suppression, secrets, dangling names, places."""

import pytest

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Finding, Options, Report
from windlass.charts.checks.rule import Profile, Severity
from windlass.charts.checks.secrets import is_secret
from windlass.charts.documents import read
from windlass.charts.rules.examples import container, deployment, object_, pod, service, together


def check(*texts: str, **options: object) -> Report:
    given = {"only": frozenset(str(options.pop("only")).split())} if "only" in options else {}
    readings = [read(text, f"{index}.yaml") for index, text in enumerate(texts)]
    return engine.check(readings, Options(**given, **options))  # type: ignore[arg-type]


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_a_finding_says_where_it_stands() -> None:
    found = only(check(together(service(), container("image: nginx:latest")), only="image-tag"))

    assert (found.kind, found.name, found.file, found.line) == ("Pod", "app", "0.yaml", 19)
    assert engine.dotted(found.path) == "spec.containers[0].image"
    assert "container app" in found.message


def test_all_files_are_one_application() -> None:
    assert check(deployment(), service(), only="service-dangling").findings == []
    assert only(check(deployment(name="b"), service(), only="service-dangling")).severity == "error"


def test_without_workloads_the_cluster_may_hold_the_other_side() -> None:
    assert only(check(service(), only="service-dangling")).severity == "warning"


def test_objects_of_another_namespace_are_others() -> None:
    elsewhere = service().replace("  name: app\n", "  name: app\n  namespace: other\n", 1)

    assert len(check(deployment(), elsewhere, only="service-dangling").findings) == 1


def test_items_of_a_list_are_checked_and_mended_where_they_stand() -> None:
    text = (
        "kind: List\napiVersion: v1\nitems:\n"
        "  - apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n"
        "    spec: {hostPID: true, containers: [{name: a, image: a:1}]}\n"
    )
    found = only(check(text, only="host-pid"))

    assert found.line == 7
    assert found.fix[0].path == ("items", 0, "spec", "hostPID")


def test_what_cannot_be_read_is_an_error_of_its_own_and_the_rest_is_checked() -> None:
    report = check(together("a: [\n", pod("hostPID: true")), only="host-pid")

    assert [one.rule for one in report.findings] == ["yaml", "host-pid"]
    assert report.findings[0].severity is Severity.error
    assert report.findings[0].hint


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("Pod", "spec: 3"),
        ("Pod", "spec: {containers: 3}"),
        ("Pod", "spec: {containers: [3, [], null, {env: 1, ports: {}, securityContext: []}]}"),
        ("Pod", "spec: {volumes: [{hostPath: 3}], securityContext: text, containers: {}}"),
        ("Deployment", "spec: {template: [], selector: 1, replicas: x}"),
        ("Deployment", "spec: {template: {metadata: 3, spec: {containers: [{image: 5}]}}}"),
        ("Service", "spec: {selector: [a], ports: [1, {targetPort: {}}]}"),
        ("Ingress", "spec: {rules: [{http: {paths: [{backend: 1}]}}], tls: {}}"),
        ("ConfigMap", "data: [1]"),
        ("ClusterRole", "rules: [1, {verbs: x, resources: [1]}]"),
        ("ClusterRoleBinding", "roleRef: x\nsubjects: [1]"),
        ("NetworkPolicy", "spec: {podSelector: x, ingress: [{from: 1}], policyTypes: 3}"),
        ("HorizontalPodAutoscaler", "spec: {scaleTargetRef: x, minReplicas: y}"),
        ("PodDisruptionBudget", "spec: {selector: 1, minAvailable: [], maxUnavailable: {}}"),
        ("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: [{}]}}}}}"),
        ("StatefulSet", "spec: {volumeClaimTemplates: [1, {metadata: 2}], serviceName: 3}"),
        ("HTTPRoute", "spec: {rules: [{backendRefs: [1, {}]}]}"),
        ("CustomResourceDefinition", "spec: {versions: [1, {schema: 1}], names: 1}"),
    ],
)
def test_objects_of_any_shape_are_survived(kind: str, data: str) -> None:
    versions = {"Deployment": "apps/v1", "Service": "v1", "Pod": "v1", "ConfigMap": "v1"}
    text = object_(versions.get(kind, "example.com/v1"), kind, data)

    engine.check([read(text)], Options(with_optional=True, registries=("a.example",)))


def test_a_suppression_with_a_reason_is_shown_as_skipped_and_counts_for_nothing() -> None:
    text = pod(
        "hostPID: true", metadata="annotations:\n  checks.windlass.dev/skip-host-pid: debugs nodes"
    )
    report = check(text, only="host-pid")

    assert only(report).skipped == "debugs nodes"
    assert not report.has_errors
    assert report.counted == []


def test_a_suppression_without_a_reason_suppresses_nothing() -> None:
    text = pod("hostPID: true", metadata="annotations:\n  checks.windlass.dev/skip-host-pid: ' '")
    report = check(text, only="host-pid suppression-reason")

    assert {one.rule for one in report.counted} == {"host-pid", "suppression-reason"}


def test_a_suppression_in_the_pod_template_counts() -> None:
    text = deployment(pod="hostPID: true").replace(
        "      labels:\n",
        "      annotations:\n        checks.windlass.dev/skip-host-pid: nodes\n      labels:\n",
        1,
    )

    assert only(check(text, only="host-pid")).skipped == "nodes"


def test_a_profile_decides_how_bad_it_is() -> None:
    severity = {
        profile: [
            one.severity
            for one in check(pod(), only="privilege-escalation", profile=profile).findings
        ]
        for profile in Profile
    }

    assert severity == {
        Profile.baseline: [Severity.warning],
        Profile.restricted: [Severity.error],
        Profile.production: [Severity.warning],
        Profile.lab: [Severity.info],
    }


def test_few_findings_of_an_ordinary_manifest_are_errors() -> None:
    report = check(together(deployment("replicas: 2"), service()))

    assert report.count(Severity.error) == 0
    assert report.count(Severity.warning) > 3


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(engine.UnknownRule, match="no rule `nope`"):
        check(pod(), only="nope")


def test_a_namespace_that_enforces_a_level_refuses_the_pod_at_the_version_it_pins() -> None:
    space = object_("v1", "Namespace").replace(
        "  name: app\n",
        "  name: app\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n"
        "    pod-security.kubernetes.io/enforce-version: v1.33\n",
    )
    probe = pod(
        container="readinessProbe: {tcpSocket: {host: a, port: 1}}", metadata="namespace: app"
    )

    assert check(space, probe, only="pod-security").findings == []
    assert check(space.replace("v1.33", "latest"), probe, only="pod-security").has_errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("API_KEY", "b6c1d6b1f0a94c5f"),
        ("dbPassword", "geheim"),
        ("SMTP_PASS", "x9!kk"),
        ("JWT_SECRET", "a long and secret sentence"),
        ("DATABASE_URL", "postgres://shop:geheim@db:5432/shop"),
        ("DSN", "server=db;password=geheim;database=x"),
        ("SETTINGS", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("NOTE", "AKIAIOSFODNN7EXAMPLE"),
        ("GITHUB", "ghp_" + "a1B2" * 9),
        ("KC_DB_PASSWORD", "123456"),
        ("AZURE_BATCH_KEY", "sensitive"),
        ("OCI_CLI_KEY_CONTENT", "sensitive"),
        ("API_SERVER_KEY", "ce1dfb04" * 8),
        ("WEBUI_SECRET_KEY", "your-secret-key"),
    ],
)
def test_secrets_are_found_by_name_and_by_value(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("PASSWORD", "/run/secrets/db"),
        ("TOKEN_EXPIRY_SECONDS", "3600"),
        ("MAX_TOTAL_TOKENS", "4096"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("SECRET_NAME", "shop-db"),
        ("PASSWORD_POLICY", "strict"),
        ("TOKEN_URL", "https://login.example.com/token"),
        ("OAUTH_TOKEN_ENDPOINT", "login"),
        ("DB_PASSWORD", "$(DB_PASSWORD)"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD", "{{ .Values.password }}"),
        ("DB_PASSWORD", "<password>"),
        ("DB_PASSWORD", "vault:secret/data/db#password"),
        ("DB_PASSWORD", ""),
        ("AUTH_TOKEN", "true"),
        ("COMPASS", "north"),
        ("API_TOKEN", "{jupyterhub.api_token}"),
        ("HF_TOKEN", "$HfToken"),
        ("JWT_SECRET", "%s"),
        ("OPENAI_API_KEY", "not-needed"),
        ("TOKEN", "3600"),
        ("PASSWORD_MIN_LENGTH", "12345"),
        ("LOCK_KEY", "crawler:api:leader"),
        ("IMAGE_DIGEST", "ce1dfb04" * 8),
        ("KEYBOARD", "de"),
        ("PUBLIC_KEY", "abc"),
        ("DATABASE_URL", "postgres://db:5432/shop"),
        ("DATABASE_URL", "postgres://shop:$(PASSWORD)@db/shop"),
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(name: str, value: str) -> None:
    assert is_secret(name, value) is None


def test_a_secret_is_never_part_of_a_finding() -> None:
    text = container("env:\n  - name: DB_PASSWORD\n    value: hunter2-very-secret")
    report = check(text, with_optional=True)

    assert any(one.rule == "secret-env-literal" for one in report.findings)
    assert "hunter2" not in repr(report)
