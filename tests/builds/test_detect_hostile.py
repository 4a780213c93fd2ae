"""Sources that try to hurt or to confuse: they end soon, with a plan or a clear error."""

import contextlib
from collections.abc import Sequence

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import ManifestBroken
from windlass.builds.plan import Installed
from windlass.core.errors import AppError

_TOOLS = ("cargo", "php", "java", "javac", "mvn", "mix", "go", "deno", "hugo", "ruby", "bundle")
EVERY = Installed(python="3.11", node="20.20.2", tools=dict.fromkeys(_TOOLS, "9"))
VITE = {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}
PAGE = {"index.html": "<title>x</title>"}


class Links(Files):
    """A tree in which some names are links: they have no content of their own."""

    def __init__(self, files: dict[str, object], *links: str) -> None:
        super().__init__({**files, **dict.fromkeys(links, "")})
        self._links = links

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        return None if path in self._links else super().read(path, limit)


@pytest.mark.parametrize(
    "link", ["package.json", "mkdocs.yml", "windlass.toml", "Procfile", "Cargo.toml", "pom.xml"]
)
def test_a_manifest_that_is_a_link_is_named_as_one(link: str):
    with pytest.raises(ManifestBroken) as caught:
        detect(Links({"a.txt": "x"}, link), installed=EVERY)

    assert caught.value.message == (
        f"{link} cannot be read: it is a link; put the file itself there."
    )


def test_links_among_sources_and_lock_files_change_nothing():
    files: dict[str, object] = {"package.json": VITE, **PAGE}
    plan = detect(Links(files, "package-lock.json", "vite.config.js", "src/main.js"))

    assert plan.framework == "vite"


@pytest.mark.parametrize("name", ["caf\udce9.py", "a\nb.py", "a\x00b", "../x.py", "/x.py", "a\x1b"])
def test_a_name_that_is_no_plain_text_is_passed_over(name: str):
    plan = detect(Files({name: "import flask\napp = flask.Flask('x')", **PAGE}))

    assert plan.framework == "static"
    assert name not in " ".join(plan.evidence)


@pytest.mark.parametrize(
    ("package", "locks", "name", "warning"),
    [
        ({}, ["yarn.lock", "package-lock.json"], "yarn", "Several lock files: package-lock.json"),
        ({}, ["pnpm-lock.yaml", "bun.lockb"], "pnpm", "Several lock files: bun.lockb"),
        (
            {"packageManager": "npm@10.9.0"},
            ["yarn.lock"],
            "npm",
            "yarn.lock is the lock file of another package manager: npm is used.",
        ),
        (
            {"packageManager": "pnpm@10.0.0"},
            ["package-lock.json"],
            "pnpm",
            "package-lock.json is the lock file of another package manager: pnpm is used.",
        ),
    ],
)
def test_two_lock_files_and_one_of_another_manager_are_said(
    package: dict[str, object], locks: list[str], name: str, warning: str
):
    files: dict[str, object] = {
        "package.json": {**VITE, **package},
        **PAGE,
        **dict.fromkeys(locks, "{}"),
    }
    plan = detect(Files(files))

    assert plan.package_manager == name
    assert any(text.startswith(warning) for text in plan.warnings), plan.warnings


@pytest.mark.parametrize(
    ("content", "web", "wrong"),
    [
        ("web:\tnode x.js\n", "node x.js", None),
        ("web: node\tx.js\t\n", "node\tx.js", None),
        ("\tweb: node x.js\n", None, "line 1"),
        ("web\tnode x.js\n", None, "line 1"),
        ("web: a\nweb: b\n", None, "line 2"),
        ("# only a comment\n\t\n", None, None),
    ],
)
def test_a_procfile_with_tabs_is_read_or_refused_by_its_line(
    content: str, web: str | None, wrong: str | None
):
    files = {"Procfile": content, **PAGE}
    if wrong:
        with pytest.raises(ManifestBroken, match=f"Procfile cannot be read: {wrong}"):
            detect(Files(files))
    else:
        assert detect(Files(files)).start_command == web


LONG = 120_000


@pytest.mark.parametrize(
    "files",
    [
        {"go.mod": "module x", "main.go": "/*" * (LONG // 2)},
        {"go.mod": "module x", "main.go": "package main\n" * (LONG // 13)},
        {"deno.json": "/*" * (LONG // 2), "main.ts": ""},
        {"deno.json": '"' * LONG, "main.ts": ""},
        {"deno.json": "," * LONG, "main.ts": ""},
        {"deno.json": "," + " " * LONG, "main.ts": ""},
        {"mix.exs": "{:" * (LONG // 2)},
        {"mix.exs": "app: " * (LONG // 5)},
        {"pom.xml": "<java.version>" * (LONG // 14)},
        {"Gemfile": "gem '" * (LONG // 5), "config.ru": ""},
        {"x.csproj": "<Project " + " " * LONG},
        {"hugo.toml": "[" * LONG},
        {"compose.yaml": "services: {" + "a: {" * 1000},
        {"Cargo.toml": "[workspace]\nmembers = [" + "'*'," * 20_000 + "]"},
        {"package.json": {**VITE, "workspaces": ["*/" * 400 + "*"] * 200}, **PAGE},
        {".nvmrc": "lts/" * 20_000, "package.json": VITE, **PAGE},
    ],
)
def test_a_manifest_made_to_take_for_ever_ends(files: dict[str, object]):
    """With a quadratic pattern each of these takes minutes."""
    with contextlib.suppress(AppError):
        detect(Files(files), installed=EVERY)


def test_a_workspace_of_ten_thousand_packages_where_many_need_each_other_ends():
    names = [f"p{number}" for number in range(300)]
    everything = {"dependencies": dict.fromkeys(names, "*"), "scripts": {"build": "tsc"}}
    files: dict[str, object] = {
        f"packages/p{number}/package.json": {"name": f"p{number}", "exports": "./x", **everything}
        for number in range(300)
    }
    files |= {f"other/q{number}/package.json": "{}" for number in range(9700)}
    files |= {"package.json": {"workspaces": ["packages/*", "apps/*"]}}
    files |= {"apps/web/package.json": {**VITE, "dependencies": dict.fromkeys(names, "*")}}
    plan = detect(Files({**files, "apps/web/index.html": "x"}))

    assert plan.root_directory == "apps/web"


class Paths(Files):
    def paths(self) -> Sequence[str]:
        return [*super().paths(), *super().paths()]


def test_a_path_that_is_listed_twice_counts_once():
    assert detect(Paths({"package.json": VITE, **PAGE})).framework == "vite"
