"""Every example directory is a test: the plan it must get, and scripts that can be run from it."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from tests.builds.trees import Folder

from windlass.builds.detect import detect
from windlass.builds.errors import NothingDetected, ToolchainMissing, UnsupportedPlan
from windlass.builds.plan import Installed, Plan, Runtime

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/expect.json"))


def _expected(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / name / "expect.json").read_text())


def _plan(name: str) -> Plan:
    """On a machine that has the toolchains the example names."""
    tools = _expected(name).get("tools", {})
    return detect(Folder(EXAMPLES / name), installed=Installed(tools=tools))


DEPLOYED = [name for name in NAMES if "refused" not in _expected(name)]


@pytest.mark.parametrize("name", DEPLOYED)
def test_an_example_gets_the_plan_it_expects(name: str):
    plan = json.loads(msgspec.json.encode(_plan(name)))
    expected = _expected(name)

    fields = [key for key in expected if key not in ("tools", "registry")]
    assert {key: plan[key] for key in fields} == {key: expected[key] for key in fields}
    assert plan["evidence"], "every plan says what it was made from"


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(DEPLOYED)))
def test_an_example_that_is_refused_is_called_by_its_name(name: str):
    refusals = (UnsupportedPlan, NothingDetected)
    with pytest.raises(refusals, match=re.escape(_expected(name)["refused"])):
        _plan(name)


@pytest.mark.parametrize("name", [name for name in NAMES if "tools" in _expected(name)])
def test_without_its_toolchain_an_example_is_refused_with_what_installs_it(name: str):
    with pytest.raises(ToolchainMissing, match=r"not installed here\. Install it: ") as caught:
        detect(Folder(EXAMPLES / name))

    assert caught.value.status == 422


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_small_names_no_registry_and_can_be_verified(name: str):
    files = [path for path in (EXAMPLES / name).rglob("*") if path.is_file()]
    if name in DEPLOYED:
        checks = json.loads((EXAMPLES / name / "verify").read_text())
        assert checks
        assert all({"path", "status"} <= check.keys() for check in checks)

    assert not any("node_modules" in path.parts or ".venv" in path.parts for path in files)
    for path in files:
        text = path.read_text()
        assert '"resolved": "http' not in text
        assert "registry." not in text, path


def test_every_kind_of_plan_has_an_example():
    plans = [_plan(name) for name in DEPLOYED]

    assert {plan.kind for plan in plans} == {"static", "server", "worker"}
    # `bun` runs as a package manager of Node's.
    assert {plan.runtime for plan in plans} == {*get_args(Runtime)} - {"bun"}
    managers = {"npm", "pnpm", "yarn", "bun", "pip", "uv", "poetry", "pdm", "pipenv", "bundler"}
    assert managers <= {plan.package_manager for plan in plans}
