"""Languages beside Python and Node: what is recognised, by parsed files and the machine's tools."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import ToolchainMissing, UnsupportedPlan
from windlass.builds.plan import Installed, Overrides

TOOLS = Installed(
    tools=dict.fromkeys(
        ("go", "cargo", "ruby", "bundle", "php", "composer", "java", "javac", "mvn", "gradle"),
        "9.9",
    )
)
MAIN = "package main\n\nfunc main() {}\n"


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"go.mod": "module x/y", "main.go": MAIN}, "."),
        ({"go.mod": "module x/y", "cmd/server/main.go": MAIN}, "./cmd/server"),
        ({"go.mod": "module x/y", "cmd/a/a.go": MAIN, "cmd/y/m.go": MAIN}, "./cmd/y"),
        ({"go.mod": "module x", "cmd/z/a.go": MAIN, "cmd/web/m.go": MAIN}, "./cmd/web"),
        ({"main.go": MAIN}, "main.go"),
    ],
)
def test_the_program_of_go_is_the_top_one_then_its_own_name_then_a_usual_one(
    files: dict[str, str], target: str
):
    plan = detect(Files(files), installed=TOOLS)

    assert plan.build_command == f"go build -trimpath -o bin/app {target}"
    assert (plan.start_command, plan.runtime) == ("bin/app", "go")


def test_a_go_library_and_a_main_in_a_comment_are_no_program():
    files = {"go.mod": "module x", "x.go": "package x", "y.go": f"/*\n{MAIN}*/\npackage x"}
    with pytest.raises(UnsupportedPlan, match="a Go program"):
        detect(Files(files), installed=TOOLS)


def test_modules_of_go_are_kept_by_their_sums_and_are_no_part_of_the_release():
    plan = detect(Files({"go.mod": "module x", "go.sum": "", "main.go": MAIN}), installed=TOOLS)

    assert (plan.install_command, plan.lock_file) == ("go mod download", "go.sum")
    assert plan.cache_directories == plan.build_only == (".windlass/go",)
    vendored = {"go.mod": "module x", "go.sum": "", "vendor/modules.txt": "", "main.go": MAIN}
    assert detect(Files(vendored), installed=TOOLS).install_command is None


def test_a_workspace_of_cargo_builds_the_first_member_with_a_program():
    files = {
        "Cargo.toml": "[workspace]\nmembers = ['crates/*']",
        "crates/kit/Cargo.toml": "[package]\nname = 'kit'",
        "crates/kit/src/lib.rs": "",
        "crates/web/Cargo.toml": "[package]\nname = 'web'",
        "crates/web/src/main.rs": "fn main() {}",
    }
    plan = detect(Files(files), installed=TOOLS)

    assert "--bin web" in (plan.build_command or "")
    assert plan.install_command == "cargo fetch"


def test_rails_goes_before_the_package_json_that_it_brings_along():
    files = {
        "Gemfile": "gem 'rails'\ngem 'propshaft'\n# gem 'pg'\n",
        "Gemfile.lock": "",
        "config/application.rb": "",
        "config.ru": "",
        "package.json": {"scripts": {"build": "esbuild x"}, "devDependencies": {"esbuild": "1"}},
    }
    plan = detect(Files(files), installed=TOOLS)

    assert plan.framework == "rails"
    assert plan.release_command is None, "no database is listed: the comment decides nothing"
    assert plan.build_command == (
        "npm run build && env SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile"
    )
    assert "SECRET_KEY_BASE_DUMMY" not in plan.env, "at run time it would win over the real key"
    assert plan.cache_directories == ("vendor/bundle", "node_modules")


def test_laravel_keeps_its_storage_in_memory_and_a_missing_composer_is_named():
    files = {
        "composer.json": {"require": {"laravel/framework": "^12"}},
        "artisan": "",
        "package.json": {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}},
    }
    plan = detect(Files(files), installed=TOOLS)

    assert plan.framework == "laravel"
    assert plan.env["LARAVEL_STORAGE_PATH"] == "/tmp/storage"
    with pytest.raises(ToolchainMissing, match="It needs composer, not installed here"):
        detect(Files(files), installed=Installed(tools={"php": "8.3"}))


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pom.xml": "<project/>"}, "mvn -B"),
        ({"pom.xml": "<project/>", "mvnw": ""}, "sh ./mvnw -B"),
        ({"build.gradle.kts": ""}, "gradle --no-daemon"),
        ({"build.gradle": "", "gradlew": ""}, "sh ./gradlew --no-daemon"),
    ],
)
def test_a_wrapper_in_the_source_goes_before_the_machines_own_maven_or_gradle(
    files: dict[str, str], command: str
):
    plan = detect(Files(files), installed=TOOLS)

    assert (plan.build_command or "").startswith(command)
    assert plan.build_network


def test_a_chosen_start_command_needs_no_toolchain_of_ours():
    overrides = Overrides(start_command="./server", build_command="./build.sh")

    assert detect(Files({"go.mod": "x", "main.go": MAIN}), overrides).start_command == "./server"


def test_a_web_framework_of_node_with_a_rust_part_stays_one():
    files = {
        "package.json": {"dependencies": {"next": "15"}, "scripts": {"build": "next build"}},
        "Cargo.toml": "[package]\nname = 'wasm'",
        "src/main.rs": "",
    }
    assert detect(Files(files)).framework == "nextjs"


COMPOSE = """
services:
  web:
    build: {context: ./web}
    ports: ["8080:80", {published: 9000, target: 90}]
  db: {image: "postgres:17", volumes: ["data:/var/lib"]}
"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (COMPOSE, "web (build ./web, ports 8080:80, 9000:90); db (image postgres:17, volumes"),
        ("services: []", "names no services"),
        ("services: {a: 1, b: [x]}", "a (image –); b (image –)"),
        ("a: [", "cannot be read"),
        ("services: {" + ", ".join(f"s{n}: {{}}" for n in range(40)) + "}", "and 28 more"),
    ],
)
def test_a_compose_project_is_refused_with_what_it_holds(content: str, said: str):
    with pytest.raises(UnsupportedPlan) as caught:
        detect(Files({"docker-compose.yml": content}))

    assert said in caught.value.message
    assert "a compose project (docker-compose.yml)" in caught.value.message
