"""The same attacks, limits and life cycle when Windlass is not run by root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.core import launch

UID = 64_123
# What the tests import, from wherever the interpreter of this run has it.
PACKAGES = ("msgspec", "pyseccomp.py", "pytest", "_pytest", "pluggy", "iniconfig", "packaging")
PACKAGES_OF_THOSE = ("py.py", "anyio", "idna", "sniffio", "typing_extensions.py", "pygments")
PARTS = ("isolation", "limits", "lifecycle", "egress")


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    """The program and its tests where another user may read them."""
    if os.geteuid() != 0:
        pytest.skip("these tests already run as an ordinary user")
    home = Path(tempfile.mkdtemp(prefix="windlass-test-"))
    home.chmod(0o755)
    package = Path(launch.__file__).parents[1]
    # With what was compiled: it would be compiled again, and again in every process.
    plain = shutil.ignore_patterns("node_modules", "assets", "static")
    shutil.copytree(package, home / "lib" / "windlass", ignore=plain)
    shutil.copytree(Path(__file__).parent, home / "tests")
    site = Path(pytest.__file__).parent.parent
    for name in PACKAGES + PACKAGES_OF_THOSE:
        source = site / name
        if source.is_dir():
            shutil.copytree(source, home / "lib" / name, ignore=plain)
        elif source.exists():
            shutil.copy(source, home / "lib" / name)
    subprocess.run(["chmod", "-R", "a+rX", home], check=True)
    yield home
    shutil.rmtree(home, ignore_errors=True)


def test_an_ordinary_users_sandbox_holds_as_well(copy: Path) -> None:
    version = f"python3.{sys.version_info.minor}"
    python = f"/usr/bin/{version}"
    if not os.path.exists(python):
        pytest.skip(f"{python}, which every user may run, is not there")
    temporary = copy / "tmp"
    temporary.mkdir()
    os.chown(temporary, UID, UID)
    done = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "anyio.pytest_plugin",
            *(f"tests/test_{part}.py" for part in PARTS),
        ],
        user=UID,
        group=UID,
        extra_groups=[],
        cwd=copy,
        env={
            "PYTHONPATH": str(copy / "lib"),
            "PATH": "/usr/bin:/bin",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout or "[100%]" in done.stdout
