"""`windlass charts check|fix|explain` from the terminal."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from windlass.charts.checks import engine
from windlass.cli.main import cli

ROOT = Path(__file__).parents[2]
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  hostPID: true # why?
  containers:
    - name: web
      image: nginx:1.29.3
"""


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["charts", *arguments], input=given)


def test_exit_codes_are_0_clean_1_errors_2_cannot_check(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(POD)
    assert run("check", str(file)).exit_code == 1
    file.write_text(POD.replace("  hostPID: true # why?\n", ""))
    assert run("check", str(file)).exit_code == 0
    assert run("check", str(file), "--fail-on", "warning").exit_code == 1
    file.write_text("a: [\n")
    assert run("check", str(file)).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "nowhere.yaml: No such file"),
        (["-", "--kubernetes", "1.2"], "no schemas of Kubernetes 1.2"),
        (["-", "--rule", "nope"], "no rule `nope`"),
        (["-", "--openapi", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_what_cannot_be_checked_says_why(arguments: list[str], said: str) -> None:
    result = run("check", *arguments, given=POD)

    assert result.exit_code == 2
    assert said in result.output


def test_a_text_without_any_object_is_no_pass() -> None:
    result = run("check", "-", given="# nothing\n")

    assert result.exit_code == 2
    assert "no Kubernetes object" in result.output


def test_a_folder_is_searched_and_what_belongs_to_others_left_alone(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: a\nkind: x\n")
    (chart / "templates" / "a.yaml").write_text("apiVersion: v1\nkind: {{ .Values.kind }}\n")
    (tmp_path / "notes.yaml").write_text("just: text\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "web.yaml").write_text(POD)

    result = run("check", str(tmp_path), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["objects"] == 1
    assert "render it first" in result.stderr


def test_a_report_goes_into_a_file(tmp_path: Path) -> None:
    target = tmp_path / "findings.sarif"

    assert run("check", "-", "--format", "sarif", "-o", str(target), given=POD).exit_code == 1
    assert json.loads(target.read_text())["version"] == "2.1.0"


def test_more_kinds_come_from_a_folder_of_definitions(tmp_path: Path) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Toy"},
            "versions": [
                {
                    "name": "v1",
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"size": {"type": "integer"}},
                        }
                    },
                }
            ],
        },
    }
    (tmp_path / "crd.yaml").write_text(yaml.safe_dump(definition))
    toy = "apiVersion: example.com/v1\nkind: Toy\nmetadata:\n  name: a\nsize: big\n"

    assert run("check", "-", given=toy).exit_code == 0
    result = run("check", "-", "--crds", str(tmp_path), given=toy)
    assert result.exit_code == 1
    assert "where a whole number must be" in result.output


def test_fix_shows_the_change_and_writes_it_only_when_told(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(POD)
    shown = run("fix", str(file), "--rule", "host-pid")
    assert "-  hostPID: true # why?" in shown.output
    assert file.read_text() == POD

    written = run("fix", str(file), "--rule", "host-pid", "--write", "--json")

    assert written.exit_code == 0
    assert "hostPID" not in file.read_text()
    assert json.loads(written.stdout.splitlines()[-1])["data"]["files"] == [str(file)]


def test_fix_leaves_every_byte_that_it_does_not_mend(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    text = "# first\r\n---\r\n" + POD.replace("\n", "\r\n") + "---\r\n# nothing\r\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert run("fix", str(file), "--rule", "host-pid", "--write").exit_code == 0

    left = text.replace("  hostPID: true # why?\r\n", "")
    assert file.read_bytes() == b"\xef\xbb\xbf" + left.encode()


def test_fix_is_a_filter_for_standard_input() -> None:
    result = run("fix", "-", "--write", "--rule", "host-pid", given=POD)

    assert result.exit_code == 0
    assert result.stdout == POD.replace("  hostPID: true # why?\n", "")
    assert "hostPID" in result.stderr
    assert run("fix", "-", "other.yaml", "--write", given=POD).exit_code == 2


def test_fix_leaves_alone_what_it_cannot_read_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    before = b"# caf\xe9\n" + POD.encode()
    file.write_bytes(before)

    result = run("fix", str(file), "--write")

    assert result.exit_code == 2
    assert "not UTF-8" in result.stderr
    assert file.read_bytes() == before


def test_a_scalar_that_must_be_text_is_quoted_as_it_is_written() -> None:
    labels = "metadata:\n  name: web\n  labels: {a: y, b: 010, c: 1.20, d: true}\n"
    text = POD.replace("metadata:\n  name: web\n", labels)

    result = run("fix", "-", "--write", "--rule", "schema", given=text)

    assert '{a: "y", b: "010", c: "1.20", d: "true"}' in result.stdout


def test_explain_shows_every_rule_and_one_in_full() -> None:
    listed = run("explain").output
    assert all(name in listed for name in engine.rules())

    page = run("explain", "image-tag").output
    assert "image: nginx:latest" in page
    assert "checks.windlass.dev/skip-image-tag" in page


def test_a_slip_in_a_rules_name_is_answered_with_the_right_one() -> None:
    result = run("explain", "image-tagg")

    assert result.exit_code == 2
    assert "Did you mean image-tag?" in result.output


def test_the_hook_and_the_action_run_commands_that_exist() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    action = (ROOT / "action.yml").read_text()

    for hook in hooks:
        words = hook["entry"].split()
        assert words[:2] == ["windlass", "charts"]
        assert run(*words[2:], "--help").exit_code == 0
    assert yaml.safe_load(action)["runs"]["using"] == "composite"
    for option in ("--profile", "--kubernetes", "--format", "--output", "--fail-on"):
        assert option in action
        assert option in run("check", "--help").output
