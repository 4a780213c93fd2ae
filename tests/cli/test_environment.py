"""Variables of a project: set, listed, taken away, pulled into a file."""

import stat
import subprocess
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.panel import Panel


def test_variables_are_set_listed_unset_and_pulled(run: Run, site: Path, panel: Panel) -> None:
    """C-105."""
    panel.add_project("shop")
    run("link")
    run("env", "set", "GREETING=hello you", "EMPTY=")
    run("env", "set", "KEY", "--secret", "--target", "production", input="s3cret\n")

    listed = run("env").stdout
    assert "s3cret" not in listed
    assert [line.split() for line in listed.splitlines()[2:]] == [
        ["GREETING", "hello", "you", "production,", "preview"],
        ["KEY", "(secret)", "production"],
    ]
    (variables,) = panel.variables.values()
    assert variables["KEY/production"]["value"] == "s3cret"
    expected = "EMPTY=''\nGREETING='hello you'\n# KEY is secret and stays on the server\n"
    assert run("env", "pull", "--target", "production").stdout == expected
    run("env", "unset", "GREETING", "--target", "preview")
    assert "GREETING/production" in variables
    assert "GREETING/preview" not in variables
    run("env", "unset", "GREETING", "KEY")
    assert list(variables) == ["EMPTY/production", "EMPTY/preview"]
    assert "no variable NOPE" in run("env", "unset", "NOPE", code=1).stderr


def test_development_variables_are_pulled_and_no_file_is_replaced_unasked(
    run: Run, site: Path, panel: Panel
) -> None:
    panel.add_project("shop")
    run("link")
    run("env", "set", "WHERE=production")
    assert "windlass env set KEY=VALUE --target development" in run("env", "pull").stderr
    run("env", "set", "WHERE=here", "--target", "development")
    assert run("env", "pull").stdout == "WHERE=here\n"
    assert not list(site.glob(".env*"))

    run("env", "pull", "--file", ".env.local")

    pulled = site / ".env.local"
    assert pulled.read_text() == "WHERE=here\n"
    assert stat.S_IMODE(pulled.stat().st_mode) == 0o600
    pulled.write_text("MINE=1\n")
    refused = run("env", "pull", "--file", ".env.local", code=1)
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert pulled.read_text() == "MINE=1\n"
    run("env", "pull", "--file", ".env.local", "--force")
    assert pulled.read_text() == "WHERE=here\n"


def test_a_pulled_file_means_the_same_to_a_shell(run: Run, site: Path, panel: Panel) -> None:
    panel.add_project("shop")
    run("link")
    value = 'it\'s "$HOME" `id` \\ end'
    run("env", "set", f"ODD={value}", "--target", "development")
    run("env", "pull", "--file", ".env.local")
    read = subprocess.run(
        ["bash", "-c", '. ./.env.local; printf %s "$ODD"'], capture_output=True, text=True
    )

    assert read.stdout == value
