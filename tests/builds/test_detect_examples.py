"""Every example directory is a test: the plan it must get, and scripts that can be run from it."""

import json
from pathlib import Path

import msgspec
import pytest
from tests.builds.trees import Folder

from windlass.builds.detect import detect

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/expect.json"))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_gets_the_plan_it_expects(name: str):
    plan = msgspec.to_builtins(detect(Folder(EXAMPLES / name)))
    expected = json.loads((EXAMPLES / name / "expect.json").read_text())

    assert {key: plan[key] for key in expected} == expected
    assert plan["evidence"], "every plan says what it was made from"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_small_names_no_registry_and_can_be_verified(name: str):
    files = [path for path in (EXAMPLES / name).rglob("*") if path.is_file()]
    checks = json.loads((EXAMPLES / name / "verify").read_text())

    assert checks
    assert all({"path", "status"} <= check.keys() for check in checks)
    assert not any("node_modules" in path.parts or ".venv" in path.parts for path in files)
    for path in files:
        text = path.read_text()
        assert '"resolved": "http' not in text
        assert "registry." not in text, path


def test_every_kind_of_plan_has_an_example():
    plans = [detect(Folder(EXAMPLES / name)) for name in NAMES]

    assert {plan.kind for plan in plans} == {"static", "server"}
    assert {plan.runtime for plan in plans} == {"none", "node", "python"}
    managers = {"npm", "pnpm", "yarn", "pip", "uv", "poetry", "pdm", "pipenv"}
    assert managers <= {plan.package_manager for plan in plans}
