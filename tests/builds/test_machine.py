"""What builds run on: looked at once, said in the plan, and refused when it cannot be safe."""

import json

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds import machine
from windlass.builds.steps import BuildFailed
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings

FLASK = "import flask\napp = flask.Flask(__name__)\n"


def test_without_bubblewrap_a_build_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    monkeypatch.setattr(machine, "_can_build", set())
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(BuildFailed, match="apt-get install bubblewrap") as refused:
        machine.refuse_without_sandbox(settings)

    assert refused.value.code == "NO_SANDBOX"


def test_the_versions_are_numbers_and_are_looked_at_once(monkeypatch: pytest.MonkeyPatch):
    first = machine.installed()
    assert machine.installed() is first
    monkeypatch.setenv("PATH", "/nonexistent")
    again = machine.installed()

    assert (again.python, again.node) == (first.python, first.node)
    assert not again.tools, "further toolchains are those of PATH"
    for version in (first.python, first.node):
        assert version is not None
        assert version.replace(".", "").isdecimal()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("files", "warning"),
    [
        (
            {"package.json": json.dumps({"main": "a.js", "engines": {"node": "12"}}), "a.js": ""},
            "package.json (engines) asks for Node.js 12; builds here use ",
        ),
        (
            {".python-version": "3.7", "requirements.txt": "flask", "app.py": FLASK},
            ".python-version asks for Python 3.7; builds here use ",
        ),
    ],
)
async def test_a_version_that_is_not_here_is_said_before_the_first_build(
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    owner: Actor,
    files: dict[str, str],
    warning: str,
):
    blobs = BlobStore(settings.folder / "blobs")
    source = await make.source(database, blobs, owner, files)

    shown = (await client.get(f"/api/sources/{ids.public('src', source.id)}")).json()["data"]

    assert any(line.startswith(warning) for line in shown["plan"]["warnings"]), shown
