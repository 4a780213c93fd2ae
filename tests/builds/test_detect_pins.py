"""Versions that a project asks for: honoured when they are here, said when they are not."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.detect.versions import allows
from windlass.builds.plan import Installed, Overrides

SERVER = {"main": "a.js", "dependencies": {"express": "5"}}
HERE = Installed(node="20.20.2", python="3.11.2", tools={"go": "1.19.8", "cargo": "1.95.0"})
FLASK = "import flask\napp = flask.Flask(__name__)\n"


def _said(files: dict[str, object]) -> tuple[list[str], list[str]]:
    """What the plan says of versions: as evidence, and as warnings."""
    plan = detect(Files(files), installed=HERE)
    return (
        [text for text in plan.evidence if "asks for" in text],
        [text for text in plan.warnings if "asks for" in text],
    )


@pytest.mark.parametrize(
    ("file", "good", "bad"),
    [
        (".nvmrc", "v20\n", "22"),
        (".nvmrc", "# comment\nlts/iron\n", "lts/jod"),
        (".node-version", "20.20.2", "18.1.0"),
        (".tool-versions", "python 3.9\nnodejs 20.20.0\n", "nodejs 24.0.0 # soon"),
        ("mise.toml", "[tools]\nnode = '20'", "[tools]\nnode = ['22', '20']"),
        (".mise.toml", "[tools]\nnode = {version = '20'}", "[tools]\nnode = '16'"),
    ],
)
def test_each_file_that_pins_node_is_read(file: str, good: str, bad: str):
    base: dict[str, object] = {"package.json": SERVER, "a.js": "require('express')().listen(1)"}

    evidence, warnings = _said({**base, file: good})
    assert evidence
    assert evidence[0].startswith(f"{file} asks for Node.js ")
    assert evidence[0].endswith("20.20.2 is used")
    assert not warnings

    evidence, warnings = _said({**base, file: bad})
    assert not evidence
    assert warnings[0].startswith(f"{file} asks for Node.js ")
    assert warnings[0].endswith("builds here use 20.20.2.")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ({"volta": {"node": "22.0.0"}}, "package.json (volta)"),
        ({"engines": {"node": ">=22 <23 || >=24"}}, "package.json (engines)"),
    ],
)
def test_fields_of_a_package_json_pin_too(field: dict[str, object], name: str):
    _, warnings = _said({"package.json": {**SERVER, **field}, "a.js": "x.listen(1)"})

    assert warnings[0].startswith(f"{name} asks for Node.js")


def test_a_pin_at_the_top_of_a_workspace_holds_for_its_members():
    files: dict[str, object] = {
        "package.json": {"workspaces": ["apps/*"]},
        ".nvmrc": "22",
        "apps/web/package.json": SERVER,
        "apps/web/a.js": "x.listen(1)",
    }
    assert _said(files)[1] == [".nvmrc asks for Node.js 22; builds here use 20.20.2."]


def test_volta_and_package_manager_choose_the_version_of_the_package_manager():
    volta = {**SERVER, "volta": {"pnpm": "9.15.0"}}
    plan = detect(Files({"package.json": volta, "a.js": "x.listen(1)"}))

    assert "pnpm@9.15.0 && pnpm install" in (plan.install_command or "")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({".python-version": "pypy3.9-7\n3.12"}, None),
        ({".python-version": "cpython-3.12.1"}, ".python-version asks for Python 3.12.1"),
        ({"runtime.txt": "python-3.12.1"}, "runtime.txt asks for Python 3.12.1"),
        ({".tool-versions": "python 3.13"}, ".tool-versions asks for Python 3.13"),
        (
            {"Pipfile": "[requires]\npython_version = '3.12'\n[packages]\nflask = '*'"},
            "Pipfile asks for Python 3.12",
        ),
        (
            {"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\nflask = '*'"},
            "pyproject.toml asks for Python ^3.12",
        ),
    ],
)
def test_each_file_that_pins_python_is_read(files: dict[str, object], said: str | None):
    _, warnings = _said({"app.py": FLASK, **files})

    assert [text.partition(";")[0] for text in warnings] == ([said] if said else [])


def test_manifests_of_go_and_rust_name_the_oldest_that_will_do():
    program = "package main\nfunc main() {}\n"
    newer: dict[str, object] = {"go.mod": "module x\n\ngo 1.24\n", "main.go": program}
    older: dict[str, object] = {"go.mod": "module x\n\ngo 1.17\n", "main.go": program}
    rust: dict[str, object] = {
        "Cargo.toml": "[package]\nname = 'x'\nrust-version = '1.99'",
        "src/main.rs": "",
    }
    assert _said(newer)[1] == ["go.mod asks for Go >=1.24; builds here use 1.19.8."]
    assert _said(older) == (["go.mod asks for Go >=1.17: 1.19.8 is used"], [])
    assert _said(rust)[1] == ["Cargo.toml asks for Rust >=1.99; builds here use 1.95.0."]


def test_the_setting_of_the_project_is_the_strongest_and_the_only_one():
    files = {"package.json": SERVER, "a.js": "x.listen(1)", ".nvmrc": "22"}
    plan = detect(Files(files), Overrides(node_version="20"), installed=HERE)

    assert not any("asks for" in text for text in plan.warnings)


@pytest.mark.parametrize("pin", ["", "lts/*", "node", "\x00", "9" * 5000, "[tools", "node = 3"])
def test_a_pin_that_names_no_version_says_nothing(pin: str):
    files: dict[str, object] = {"package.json": SERVER, "a.js": "x.listen(1)"}

    assert _said({**files, ".nvmrc": pin, "mise.toml": pin}) == ([], [])


@pytest.mark.parametrize(
    ("wanted", "version", "holds"),
    [("^20.19.0 || >=22.12.0", "20.20.2", True), ("^20.19.0 || >=22.12.0", "21.0.0", False)],
)
def test_a_range_with_alternatives_holds_when_one_does(wanted: str, version: str, holds: bool):
    assert allows(wanted, version) is holds
