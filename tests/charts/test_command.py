"""`windlass charts generate` on files, without a server."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.charts.rendering import HERE, OUTPUT
from windlass.charts.documents import load
from windlass.cli.main import cli

FORM = str(HERE / "minimal.form.yaml")


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["charts", *args], input=stdin)


def test_the_manifests_are_printed():
    assert run("generate", FORM).stdout == OUTPUT["minimal.yaml"]
    assert run("generate", "-", stdin=Path(FORM).read_text()).stdout == OUTPUT["minimal.yaml"]


def test_with_json_they_are_the_last_line():
    shown = json.loads(run("generate", FORM, "--json").stdout)

    assert shown["data"]["manifests"][0]["kind"] == "Namespace"


def test_each_object_gets_a_file_numbered_in_the_order_of_applying(tmp_path: Path):
    """K-096, K-098."""
    folder = tmp_path / "k8s"
    result = run("generate", FORM, "--output", str(folder))

    assert result.stdout == f"8 files are in {folder}.\n"
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "001-namespace-shop.yaml"
    assert names[5] == "006-deployment-web.yaml"
    documents = [load((folder / name).read_text())[0].data for name in names]
    assert documents == [one.data for one in load(OUTPUT["minimal.yaml"])]


def test_a_folder_in_use_is_left_alone_unless_forced(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "099-deployment-gone.yaml").write_text("old")

    refused = run("generate", FORM, "-o", str(tmp_path))
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert run("generate", FORM, "-o", str(tmp_path), "--force").exit_code == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert "notes.txt" in left
    assert "099-deployment-gone.yaml" not in left


def test_a_name_cannot_leave_the_folder(tmp_path: Path):
    text = "defaults: none\nresources:\n- {type: ConfigMap, name: ../../x}\n"
    run("generate", "-", "-o", str(tmp_path / "out"), stdin=text)

    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["001-configmap--x.yaml"]


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_mistakes_are_listed_with_their_lines(args: tuple[str, ...]):
    result = run("generate", "-", *args, stdin="workloads:\n- nam: web\n  containers: []\n")

    assert result.exit_code == 1
    assert "<stdin>:2:3: workloads[0].nam: there is no field `nam`" in result.stderr
    if args:
        [problem] = json.loads(result.stdout)["error"]["details"]["problems"]
        assert (problem["line"], problem["code"]) == (2, "unknown-field")


def test_a_file_that_is_not_there_is_wrong_usage():
    assert run("generate", "nothing.yaml").exit_code == 2
