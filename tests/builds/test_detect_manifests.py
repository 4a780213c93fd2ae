"""Broken, hostile and empty sources: a plan, or a clear error that names the file."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import EmptySource, ManifestBroken, NothingDetected, UnsupportedPlan
from windlass.builds.plan import Overrides
from windlass.core.errors import AppError

FLASK = "from flask import Flask\napp = Flask('x')\n"
PAGE = {"index.html": "<title>x</title>"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"name": ', "line 1"),
        (b'{\n  // comment\n  "name": "x"\n}', "line 2"),
        (b"[]", "a list"),
        (b"3", "something else"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        (b"{" + b" " * (1 << 20) + b"}", "larger than 1024 KiB"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "impossible number"),
        (b"", "line 1"),
    ],
)
def test_a_package_json_that_cannot_be_read_is_named_with_the_reason(content: bytes, reason: str):
    with pytest.raises(ManifestBroken) as caught:
        detect(Files({"package.json": content, **PAGE}))

    assert "package.json cannot be read" in caught.value.message
    assert reason in caught.value.message


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    package = '\ufeff{\r\n"scripts": {"start": "node x.js"}}\r\n'.encode()

    assert detect(Files({"package.json": package})).kind == "server"


@pytest.mark.parametrize(
    "package",
    [
        {"scripts": [], "dependencies": "vite", "main": 3, "engines": [1], "workspaces": 4},
        {"scripts": {"build": None, "start": {"a": 1}}, "dependencies": {"vite": None}},
        {"scripts": {"build": "vite build 'unclosed"}, "dependencies": {"vite": 1}},
        {"packageManager": {}, "dependencies": {"next": {}}, "scripts": {"start": ""}},
    ],
)
def test_fields_of_a_wrong_type_count_as_absent(package: dict[str, object]):
    assert detect(Files({"package.json": package, **PAGE})).evidence


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "flask\n".encode("utf-16"), "app.py": FLASK},
        {"pyproject.toml": "[project\nname=1", "app.py": FLASK},
        {"mkdocs.yml": "a: [b"},
        {"mkdocs.yml": "- a\n- b"},
        {"mkdocs.yml": "a: " + "[" * 3000},
        {"mkdocs.yml": "x" * 200_000},
        {"mkdocs.yml": "a: 2024-99-99"},
        {"package.json": {"devDependencies": {"@angular/core": "1"}}, "angular.json": "{"},
    ],
)
def test_other_manifests_that_cannot_be_read_are_named_too(files: dict[str, object]):
    with pytest.raises(ManifestBroken):
        detect(Files(files))


def test_an_alias_bomb_in_yaml_does_no_harm():
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]

    assert detect(Files({"mkdocs.yml": "\n".join(lines)})).framework == "mkdocs"


@pytest.mark.parametrize("files", [{}, {".git/config": ""}, {"node_modules/x/index.html": ""}])
def test_a_source_without_files_of_its_own_is_empty(files: dict[str, object]):
    with pytest.raises(EmptySource):
        detect(Files(files))


def test_nothing_detected_lists_what_was_looked_for_and_what_is_there():
    with pytest.raises(NothingDetected) as caught:
        detect(Files({"notes.txt": "x", "data/a.csv": "1"}))

    message = caught.value.message
    for part in ("package.json", "Procfile", "mkdocs.yml", "data/, notes.txt", "windlass.toml"):
        assert part in message
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("compose.yaml", "a compose project"),
        ("go.mod", "a Go program"),
        ("Cargo.toml", "a Rust program"),
        ("Gemfile", "a Ruby program"),
        ("composer.json", "a PHP program"),
        ("App/App.csproj", "a .NET program"),
    ],
)
def test_what_is_not_built_yet_is_called_by_its_name(name: str, what: str):
    with pytest.raises(UnsupportedPlan) as caught:
        detect(Files({name: "{}" if name.endswith(".json") else "[package]"}))

    assert what in caught.value.message
    assert name in caught.value.message


def test_a_page_in_a_program_of_another_language_is_no_site_unless_somebody_says_so():
    files = {"go.mod": "module x", "public/index.html": "x"}

    with pytest.raises(UnsupportedPlan):
        detect(Files(files))
    assert detect(Files(files), Overrides(framework="static")).output_directory == "public"


def test_a_dockerfile_beside_a_known_framework_changes_nothing():
    package = {"scripts": {"start": "node x.js"}, "dependencies": {"express": "5"}}

    assert detect(Files({"Dockerfile": "x", "package.json": package})).framework == "express"


def test_names_with_quotes_and_spaces_cannot_become_commands():
    files = {"package.json": {"main": "a'; touch x; '.js"}, "a'; touch x; '.js": "require('http')"}
    files["a'; touch x; '.js"] += ".createServer().listen(1)"
    plan = detect(Files(files))

    assert plan.start_command == "node 'a'\"'\"'; touch x; '\"'\"'.js'"


NAMES = [
    *("package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "pnpm-workspace.yaml"),
    *("next.config.js", "vite.config.ts", "astro.config.mjs", "svelte.config.js", "angular.json"),
    *("eleventy.config.js", "docs/.vitepress/config.mts", "docusaurus.config.js", ".nvmrc"),
    *("requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock"),
    *("manage.py", "site/settings.py", "site/wsgi.py", "app.py", "src/x/main.py", "main.py"),
    *("mkdocs.yml", "docs/conf.py", "docs/index.md", "Procfile", "windlass.toml", "index.html"),
    *("go.mod", "server.js", ".python-version", "setup.py", "web/package.json", "web/app.py"),
]
SNIPPETS = [
    *('{"dependencies": {"next": "1"}}', '{"scripts": {"build": "vite build", "start": "node ."}}'),
    *('{"devDependencies": {"vite": 1, "astro": [], "@sveltejs/kit": "x"}, "workspaces": ["*"]}'),
    *("export default {output: 'export', build: {outDir: '../x'}, dir: {output: 1}}", "export"),
    *("from flask import Flask\napp = Flask(__name__)", "def create_app():\n  return FastAPI()"),
    *("from .. import x\nfrom fastapi import FastAPI\napp = FastAPI()", "web: x", "[project]"),
    *("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')", "flask[async]>=1\n-r x"),
    *("WSGI_APPLICATION = 'site.wsgi.application'", "site_dir: ../x", "root_directory = 'web'"),
    *(
        "[tool.poetry.dependencies]\nflask = {extras = ['x']}",
        "project = 'x'\nextensions = 1",
        "{}",
    ),
]
contents = st.one_of(
    st.sampled_from(SNIPPETS).map(str.encode),
    st.lists(st.sampled_from(SNIPPETS), max_size=3).map(lambda parts: "\n".join(parts).encode()),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["scripts", "dependencies", "build", "start", "vite", "next", "main"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)
paths = st.one_of(st.sampled_from(NAMES), st.text(max_size=30))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.dictionaries(paths, contents, max_size=8),
    root=st.none() | st.sampled_from(["web", ".", "docs", "src"]) | st.text(max_size=12),
    framework=st.none() | st.sampled_from(["vite", "flask", "django", "static", "node", "sphinx"]),
)
def test_detection_answers_with_a_plan_or_an_error_of_the_caller(
    files: dict[str, bytes], root: str | None, framework: str | None
):
    overrides = Overrides(root_directory=root, framework=framework)
    try:
        plan = detect(Files(files), overrides)
    except AppError:
        return
    assert plan.evidence
    assert (plan.kind == "server") == (plan.start_command is not None)
    assert (plan.kind == "static") == (plan.output_directory is not None)
    assert ".." not in (plan.output_directory or "").split("/")
    assert detect(Files(dict(reversed(files.items()))), overrides) == plan
