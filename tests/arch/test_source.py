"""Rules that hold for every file, read from the files themselves."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

ROOT = Path(__file__).parents[2]
_SOURCE = ROOT / "src" / "windlass"
_MOST_LINES = 600
_SHELLS = {"create_subprocess_shell", "getoutput", "getstatusoutput", "popen", "system"}


@cache
def _tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file())


@cache
def _python() -> tuple[tuple[Path, ast.Module], ...]:
    """Our own Python files; the applications below tests/examples are other people's."""
    ours = (path for path in _tracked() if "tests/examples" not in path.as_posix())
    return tuple((path, ast.parse(path.read_text())) for path in ours if path.suffix == ".py")


def _at(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_manifests_are_loaded_only_when_somebody_needs_them() -> None:
    """The control process shall not carry schemas and rules: others import charts in functions."""
    # The commands of `windlass charts` are imported one by one when they run.
    own = (_SOURCE / "charts", _SOURCE / "cli" / "commands" / "charts")
    found = [
        _at(path, node)
        for path, tree in _python()
        if path.is_relative_to(_SOURCE) and not any(path.is_relative_to(one) for one in own)
        for node in tree.body
        if isinstance(node, ast.ImportFrom | ast.Import)
        and any(
            f"{name}.".startswith("windlass.charts.")
            for name in (getattr(node, "module", None) or "", *(one.name for one in node.names))
        )
    ]

    assert found == []


def test_only_the_core_commits() -> None:
    """One request or one step is one transaction, and services do not end it."""
    found = [
        _at(path, node)
        for path, tree in _python()
        if path.is_relative_to(_SOURCE) and not path.is_relative_to(_SOURCE / "core")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == "commit"
    ]

    assert found == []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def test_no_shell_is_ever_started() -> None:
    found: list[str] = []
    for path, tree in _python():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            names = [word.arg for word in node.keywords if word.arg == "shell"]
            if names or (isinstance(node.func, ast.Attribute) and _is_shell(node.func)):
                found.append(_at(path, node))

    assert found == []


def _is_shell(function: ast.Attribute) -> bool:
    return function.attr in _SHELLS and _name(function.value) in {"os", "asyncio", "subprocess"}


def test_no_wait_swallows_a_cancellation() -> None:
    """`asyncio.wait_for` does before Python 3.12, when it comes together with what is waited for:
    the process then stays until it is killed. `asyncio.timeout` does not."""
    found = [
        _at(path, node)
        for path, tree in _python()
        if path.is_relative_to(_SOURCE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "wait_for"
    ]

    assert found == []


def test_no_file_is_longer_than_a_person_reads() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in _tracked()
        if path.is_relative_to(_SOURCE) and path.suffix in {".py", ".ts", ".css", ".html", ".mjs"}
        if (lines := len(path.read_text().splitlines())) > _MOST_LINES
    ]

    assert long == []


# Put together here, so that this file does not name one.
_REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    )
)


def test_no_tracked_file_names_a_registry_or_a_place_on_this_machine() -> None:
    prefix = sys.base_prefix if not sys.base_prefix.startswith("/usr") else None
    places = [str(ROOT) + "/", *([prefix] if prefix else [])]
    words = re.compile("|".join(re.escape(word) for word in (*_REGISTRIES, *places)))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in _tracked()
        for number, line in enumerate(path.read_bytes().decode(errors="replace").split("\n"), 1)
        if words.search(line)
    ]

    assert found == []


def test_lock_files_hold_a_hash_for_everything() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text().replace("\\\n", " ")
        pins = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]

        assert pins
        assert [line for line in pins if "==" not in line or "--hash=sha256:" not in line] == []
        assert re.findall(r"^-|https?://|file:", text, re.MULTILINE) == []


def test_node_lock_files_name_no_place() -> None:
    for path in _tracked():
        if path.name == "package-lock.json":
            assert '"resolved": "http' not in path.read_text(), path


@cache
def _errors() -> dict[str, tuple[str, str]]:
    """Every error that a caller can cause: name → where it is, its message."""
    classes: dict[str, tuple[Path, ast.ClassDef]] = {}
    for path, tree in _python():
        if path.is_relative_to(_SOURCE):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = (path, node)
    known = {"AppError"}
    while True:
        more = {
            name
            for name, (_, node) in classes.items()
            if name not in known and any(_name(parent) in known for parent in node.bases)
        }
        if not more:
            break
        known |= more
    return {
        name: (_at(*classes[name]), ast.get_docstring(classes[name][1]) or "")
        for name in known & classes.keys()
    }


def _facts(message: str) -> set[str]:
    names = (name for _, name, _, _ in Formatter().parse(message) if name is not None)
    return {re.split(r"[.\[]", name)[0] for name in names}


def test_every_error_has_a_message_that_formats() -> None:
    wrong: list[str] = []
    for place, message in _errors().values():
        try:
            if not message or "" in _facts(message):
                wrong.append(place)
        except ValueError:
            wrong.append(place)

    assert wrong == []


def test_an_error_is_raised_with_the_facts_of_its_message() -> None:
    wrong: list[str] = []
    errors = _errors()
    for path, tree in _python():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or (name := _name(node.func)) not in errors:
                continue
            given = {word.arg for word in node.keywords}
            missing = _facts(errors[name][1]) - given
            if missing and None not in given and not node.args:
                wrong.append(f"{_at(path, node)}: {name} needs {sorted(missing)}")

    assert wrong == []


@pytest.mark.parametrize("name", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_open_in_the_code(name: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in _tracked()
        if path.is_relative_to(_SOURCE) and path.suffix in {".py", ".ts", ".css", ".html"}
        if re.search(rf"\b{name}\b", path.read_text())
    ]

    assert found == []
