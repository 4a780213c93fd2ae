"""`windlass charts render`, and `check` on charts."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.helm.packing import ABOUT, CHART, laid, packed
from windlass.cli.main import cli

pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["charts", *arguments])


def test_a_folder_and_its_archive_are_rendered_alike(tmp_path: Path) -> None:
    folder = laid(tmp_path / "shop", CHART)
    (tmp_path / "shop.tgz").write_bytes(packed(CHART))
    (tmp_path / "prod.yaml").write_text("replicas: 3\nimage: {tag: v1}\n")
    options = ("-f", str(tmp_path / "prod.yaml"), "--set", "image.tag=v2", "--release", "prod")

    result = run("render", str(folder), *options)

    assert result.exit_code == 0, result.output
    assert "# Source: shop/templates/deployment.yaml" in result.stdout
    assert 'image: "ghcr.io/acme/shop:v2"' in result.stdout
    assert "replicas: 3" in result.stdout
    assert run("render", str(tmp_path / "shop.tgz"), *options).stdout == result.stdout
    told = json.loads(run("render", str(folder), *options, "--json").stdout)["data"]
    assert told["values"]["replicas"] == 3
    assert [one["kind"] for one in told["manifests"]] == ["Deployment"]


def test_a_chart_is_checked_with_the_template_of_each_finding(tmp_path: Path) -> None:
    folder = laid(tmp_path / "shop", CHART)
    (folder / "templates" / "bad.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {hostPID: {{ .Values.pid }}}\n"
    )

    bad = run("check", str(folder), "--set", "pid=true", "--rule", "host-pid", "--format", "json")
    good = run("check", str(folder), "--set", "pid=false", "--rule", "host-pid")

    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["findings"][0]["file"] == "shop/templates/bad.yaml"
    assert good.exit_code == 0, good.output


def test_what_cannot_be_rendered_says_where(tmp_path: Path) -> None:
    folder = laid(
        tmp_path / "shop", {"Chart.yaml": ABOUT, "templates/a.yaml": "a: {{ .Values.x.y }}"}
    )
    for command in ("render", "check"):
        result = run(command, str(folder))
        assert result.exit_code == 2
        assert "shop/templates/a.yaml:1: " in result.output
    for wrong in (("--set", "x"), ("-f", str(folder / "templates" / "a.yaml")), ("-f", "nowhere")):
        result = run("render", str(folder), *wrong)
        assert result.exit_code == 2
        assert "holds no values" in result.output
    (folder / "x").symlink_to("/etc/passwd")
    assert "is a link" in run("render", str(folder)).output
    assert run("render", str(tmp_path / "nowhere")).exit_code == 2


def test_findings_name_the_values_that_decide_them(tmp_path: Path) -> None:
    """K-066: what was tried and changed the place of the finding is named, nothing else."""
    deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: {{ .Values.replicaCount }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          securityContext: {{- toYaml .Values.web.containerSecurityContext | nindent 12 }}
          {{- with .Values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- if .Values.probes.livenessProbe.enabled }}
          livenessProbe: {httpGet: {path: /, port: 80}}
          {{- end }}
          {{- if gt (int .Values.replicaCount) 7 }}{{ fail "too many" }}{{ end }}
          env: [{name: DB_PASSWORD, value: {{ index .Values "db.main" "password" | quote }}}]
"""
    values = """\
replicaCount: 1
image: {repository: ghcr.io/acme/shop, tag: latest}
web: {containerSecurityContext: {}}
resources: {}
probes: {livenessProbe: {enabled: false}, readinessProbe: {enabled: false}}
unused: {tag: latest, resources: {}}
db.main: {password: hunter2xyz}
"""
    files = {"Chart.yaml": ABOUT, "values.yaml": values, "templates/web.yaml": deployment}
    folder = laid(tmp_path / "shop", files)

    result = run("check", str(folder), "--profile", "production", "--format", "json")
    findings = json.loads(result.stdout)["findings"]
    keys = {one["rule"]: one["values"] for one in findings}

    assert keys["image-tag"] == ["image.repository", "image.tag"]
    assert keys["replicas"] == ["replicaCount"]
    assert keys["memory-limit"] == ["resources.limits.memory"]
    assert keys["run-as-non-root"] == ["web.containerSecurityContext.runAsNonRoot"]
    assert keys["liveness-probe"] == ["probes.livenessProbe.enabled"]
    assert keys["secret-env-literal"] == [r"db\.main.password"]
    # No value of this chart makes one.
    assert keys["readiness-probe"] == []
    assert "hunter2" not in result.stdout
    told = run("check", str(folder), "--set", "replicaCount=2", "--profile", "production")
    assert "Set it in the chart's values: image.repository, image.tag" in told.stdout
