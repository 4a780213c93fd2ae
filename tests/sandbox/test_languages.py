"""Toolchains of further languages: found on PATH, seen inside by what they need and no more."""

import os
from pathlib import Path

import pytest

from windlass.adapters import sandbox
from windlass.adapters.sandbox_languages import Seen, languages
from windlass.core.launch import Bind, Limits

LIMITS = Limits(memory_bytes=1 << 28, cpus=1, processes=50, tmp_bytes=1 << 24)


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def _seen() -> dict[str, Seen]:
    return {seen.program: seen for seen in languages()}


def test_one_file_that_needs_nothing_is_bound_alone_and_is_seen_without_a_restart(here: Path):
    assert not _seen()
    zola = _program(here / "bin", "zola", "echo zola 0.19.1")

    found = _seen()["zola"]
    assert (found.version, found.path) == ("0.19.1", "/opt/windlass/bin")
    assert found.binds == (Bind(str(zola), "/opt/windlass/bin/zola"),)
    zola.unlink()
    assert not _seen()


def test_a_program_that_was_renewed_in_its_place_is_asked_again(here: Path):
    zola = _program(here / "bin", "zola", "echo zola 0.19.1")
    assert _seen()["zola"].version == "0.19.1"
    changed = zola.stat().st_mtime_ns
    _program(here / "bin", "zola", "echo zola 0.20.0")
    os.utime(zola, ns=(changed + 1, changed + 1))
    assert _seen()["zola"].version == "0.20.0"


def test_a_toolchain_says_itself_where_it_lies(here: Path):
    _program(here / "bin", "cargo", "echo cargo 1.95.0 '(x 2026-01-01)'")
    _program(here / "bin", "rustc", f"echo {here}/chains/stable")
    (here / "chains/stable/bin").mkdir(parents=True)

    found = _seen()["cargo"]
    home = str(here / "chains/stable")
    assert (found.version, found.path, found.binds) == (
        "1.95.0",
        f"{home}/bin",
        (Bind(home, home),),
    )


@pytest.mark.parametrize("script", ["exit 1", "echo no version is set", "exec /nonexistent"])
def test_a_shim_of_a_version_that_is_gone_is_no_toolchain(here: Path, script: str):
    _program(here / "bin", "hugo", script)

    assert "hugo" not in _seen()


def test_a_build_sees_every_toolchain_and_an_app_only_those_that_it_runs_on(here: Path):
    script = _program(here, "step.sh", "true")
    _program(here / "bin", "zola", "echo zola 0.19.1")
    _program(here / "bin", "deno", "echo deno 2.1.0")

    def targets(launch_binds: tuple[Bind, ...]) -> set[str]:
        return {bind.target for bind in launch_binds if bind.target.startswith("/opt/windlass/bin")}

    step = sandbox.build_step(
        name="x", script=script, work=here, uid=None, env={}, network=False, limits=LIMITS
    )
    assert {"/opt/windlass/bin/zola", "/opt/windlass/bin/deno"} <= targets(step.binds)
    for needs in ((), ("deno",)):
        app = sandbox.app(
            name="x",
            release=here,
            script=script,
            port=3000,
            uid=None,
            env={},
            limits=LIMITS,
            needs=needs,
        )
        bound = targets(app.binds) - {"/opt/windlass/bin/uv"}
        assert bound == {f"/opt/windlass/bin/{name}" for name in needs}


def test_the_doctor_lists_further_toolchains_and_misses_none(here: Path):
    _program(here / "bin", "zola", "echo zola 0.19.1")

    lines = {finding.name: finding for finding in sandbox.doctor(None)}
    assert (lines["zola"].ok, lines["zola"].detail) == (True, "0.19.1")
    assert "hugo" not in lines
