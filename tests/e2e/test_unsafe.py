"""A machine without bubblewrap: builds are refused, or run all the same where that is asked for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sites
from tests.running import Instance
from windlass.core.launch_spec import UNSAFE_WARNING

pytestmark = pytest.mark.xdist_group("unsafe")
NODE = """
const { createServer } = require("http");
createServer((_, answer) => answer.end("node " + process.cwd())).listen(process.env.PORT);
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("u")


@pytest.fixture(scope="module")
def without(home: Path) -> Iterator[Instance]:
    """Nothing but bubblewrap is missing."""
    path = home / "bin"
    path.mkdir()
    for name in ("git", "node", "npm"):
        if found := shutil.which(name):
            (path / name).symlink_to(found)
    instance = Instance(home, is_prepared=False, PATH=str(path))
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def unsafe(without: Instance) -> Iterator[Instance]:
    """The same home, started again with the flag."""
    without.stop()
    without.start("--unsafe-builds")
    yield without
    without.stop()


def test_a_build_is_refused_with_the_command_that_helps(without: Instance, tmp_path: Path) -> None:
    folder = sites.built(tmp_path / "refused", "mkdir out; cp page.html out/index.html")

    done = without.deploy(folder, check=False)

    assert (done["status"], done["errorCode"]) == ("error", "NO_SANDBOX")
    assert "apt-get install bubblewrap" in done["errorMessage"]
    assert "WARNING" not in without.log.read_text()


def test_with_the_flag_a_site_is_built_and_the_log_begins_with_the_warning(
    unsafe: Instance, tmp_path: Path
) -> None:
    done = unsafe.deploy(sites.built(tmp_path / "b", "mkdir out; cp page.html out/index.html"))

    assert "built" in unsafe.get(done["url"]).text
    lines = unsafe.api("GET", f"/api/deployments/{done['id']}/logs").json()["data"]
    assert lines[0]["message"] == f"WARNING: {UNSAFE_WARNING}"
    assert lines[0]["level"] == "warn"


def test_with_the_flag_a_server_answers(unsafe: Instance, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "server.js").write_text(NODE)
    (folder / "windlass.toml").write_text('start_command = "node server.js"\n')

    done = unsafe.deploy(folder)

    assert unsafe.get(done["url"]).text == "node /app"


def test_the_warning_is_said_at_the_start_and_by_the_doctor(unsafe: Instance) -> None:
    assert f"WARNING: {UNSAFE_WARNING}" in unsafe.log.read_text()
    assert "Never do this" in unsafe.cli("doctor", check=False).stdout


def test_in_production_there_is_no_such_flag(tmp_path: Path) -> None:
    instance = Instance(tmp_path, WINDLASS_ENVIRONMENT="production")

    done = instance.cli("up", "--unsafe-builds", "--port", str(instance.port), check=False)

    assert done.returncode == 1
    assert "WINDLASS_BUILDS__UNSAFE: not allowed in production" in done.stderr
    assert not instance.home.exists()
