"""The program itself: fast help, lazy commands, completion, the reference, broken pipes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Run
from tests.cli.panel import Panel

from windlass.cli.lazy import LazyGroup, load
from windlass.cli.main import cli
from windlass.cli.reference import render
from windlass.cli.session import Session, coloured, plain
from windlass.cli.table import COMMANDS, Row

ROOT = Path(__file__).parents[2]


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


def test_help_imports_click_and_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv=['windlass','--help']\n"
        "from windlass.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'httpx2','rich','msgspec','pathspec','asyncio','ssl','litestar','sqlalchemy'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)),"
        " [m for m in sys.modules if m.startswith('windlass.') and 'commands' in m])"
    )
    done = python("-c", code)

    assert done.stdout.splitlines()[-1] == "LOADED [] []", done.stderr


def test_every_command_of_the_table_exists_with_help_and_examples() -> None:
    for name, row in COMMANDS.items():
        if row.needs_server:
            continue
        command = load(name, row)
        assert command.help, name
        assert "Example" in (command.epilog or ""), name
        options = {option for param in command.params for option in param.opts}
        assert "--json" in options or name == "completion"


def test_the_one_line_helps_agree_with_the_commands() -> None:
    listing = click.Context(cli).command.get_help(click.Context(cli, info_name="windlass"))
    for name, row in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(row.help)}$", listing, re.MULTILINE), name


def test_a_missing_server_part_says_what_to_install() -> None:
    group = LazyGroup(table={"up": Row("windlass_absent.up:command", "Start.", "Server", True)})
    from click.testing import CliRunner

    result = CliRunner().invoke(group, ["up"])
    assert result.exit_code == 1
    assert 'pip install "windlass[server]"' in result.stderr


def test_a_server_command_keeps_its_own_signal_handlers(tmp_path: Path) -> None:
    """`windlass up` stops its processes in its own way: by handlers, and by atexit."""
    (tmp_path / "a_server.py").write_text(
        "import atexit, os, signal, click\n"
        "@click.command()\n"
        "def command():\n"
        "    atexit.register(print, 'cleaned up')\n"
        "    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        # A suite in the background was started with this signal ignored.
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['windlass', 'up']\n"
        "from windlass.cli.main import cli, main\n"
        "from windlass.cli.table import Row\n"
        "cli.table = {'up': Row('a_server:command', 'Start.', 'Server', True)}\n"
        "main()\n"
    )
    done = python("-c", code)

    assert (done.returncode, done.stdout) == (130, "cleaned up\n"), done.stderr


def test_the_reference_is_up_to_date() -> None:
    """Run `python -m windlass.cli.reference > docs/reference/cli.md` when this fails."""
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == render()


@pytest.mark.parametrize("words", [(), ("deploy",), ("env",), ("env", "set"), ("projects", "list")])
def test_help_needs_no_server(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words, "--help").stdout.startswith("Usage: windlass")


def test_version(run: Run) -> None:
    assert re.fullmatch(r"windlass \d+\.\d+\.\d+\S*\n", run("--version").stdout)


def complete(line: str) -> list[str]:
    done = python(
        *("-m", "windlass.cli"),
        _WINDLASS_COMPLETE="bash_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
    )
    assert done.returncode == 0, done.stderr
    return [row.partition(",")[2] for row in done.stdout.splitlines() if row]


def test_the_bash_script_loads_and_registers(tmp_path: Path, run: Run) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").stdout)
    done = subprocess.run(
        ["bash", "--norc", "-c", f". {script} && complete -p windlass"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "windlass" in done.stdout


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef windlass"), ("fish", "complete")])
def test_the_other_scripts_are_printed(run: Run, shell: str, mark: str) -> None:
    assert mark in run("completion", shell).stdout


def test_commands_options_and_projects_are_completed(panel: Panel, home: Path) -> None:
    panel.add_project("shop")
    panel.add_project("blog")

    assert complete("windlass de") == ["deploy", "deployments"]
    assert "--preview" in complete("windlass deploy --pr")
    assert complete("windlass status --project s") == ["shop"]
    assert complete("windlass env s") == ["set"]


def test_completion_stays_silent_without_a_server(home: Path) -> None:
    (home / "keys" / "cli.token").unlink()

    assert complete("windlass status --project s") == []


def test_a_reader_that_leaves_early_is_no_crash(panel: Panel, home: Path) -> None:
    for number in range(300):
        panel.add_project(f"a-project-with-a-long-name-{number}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "windlass.cli", "projects"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        timeout=120,
    )
    os.close(writing)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_text_from_elsewhere_cannot_steer_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2Ja\x1b[31mred\x07\x9b31m"

    assert plain(evil) == "ared31m"
    assert coloured(evil) == "a\x1b[31mred31m\x1b[0m"


def test_wide_characters_keep_columns_straight(capsys: pytest.CaptureFixture[str]) -> None:
    Session().table(("A", "B"), [("日本", "x"), ("abcd", "y")])

    assert capsys.readouterr().out.splitlines() == ["A     B", "日本  x", "abcd  y"]
