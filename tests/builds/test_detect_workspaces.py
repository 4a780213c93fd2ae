"""Workspaces: which member is deployed, how it is installed, and what is built before it."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import NothingDetected, OutputOutside
from windlass.builds.plan import Overrides

TOP = {"workspaces": ["apps/*", "packages/*"]}
WEB = {
    "name": "web",
    "dependencies": {"ui": "*", "vite": "7"},
    "scripts": {"build": "vite build"},
}
UI = {"name": "ui", "exports": "./dist", "dependencies": {"core": "*"}, "scripts": {"build": "tsc"}}
CORE = {"name": "core", "exports": "./dist", "scripts": {"build": "tsc"}}


def _files(**changes: object) -> dict[str, object]:
    files: dict[str, object] = {
        "package.json": TOP,
        "package-lock.json": "{}",
        "apps/web/package.json": WEB,
        "apps/web/index.html": "x",
        "packages/ui/package.json": UI,
        "packages/core/package.json": CORE,
    }
    return {**files, **changes}


def test_the_only_application_of_a_workspace_is_taken_and_what_it_needs_is_built_in_order():
    plan = detect(Files(_files()))

    assert (plan.root_directory, plan.output_directory) == ("apps/web", "dist")
    assert plan.install_command == "cd ../.. && npm ci --include=dev --no-audit --no-fund"
    assert plan.build_command == (
        "(cd ../../packages/core && npm run build) && (cd ../../packages/ui && npm run build)"
        " && npm run build"
    )
    assert set(plan.cache_directories) == {
        "apps/web/node_modules",
        "node_modules",
        "packages/core/node_modules",
        "packages/ui/node_modules",
    }
    assert "workspace: apps/web (Vite) is its only application" in plan.evidence
    assert plan.watch_paths[:3] == ("apps/web/**", "packages/core/**", "packages/ui/**")


@pytest.mark.parametrize(
    ("runner", "file", "command"),
    [
        ("turbo", "turbo.json", "turbo run build --filter=web"),
        ("nx", "nx.json", "nx run web:build"),
        ("lerna", "lerna.json", "lerna run build --scope=web --include-dependencies"),
    ],
)
def test_a_runner_builds_when_the_top_depends_on_it(runner: str, file: str, command: str):
    top = {**TOP, "devDependencies": {runner: "1"}, "scripts": {"build": f"{runner} run build"}}
    plan = detect(Files(_files(**{"package.json": top, file: {}})))

    assert plan.build_command == f"cd ../.. && {command}"
    without = detect(Files(_files(**{file: {}})))
    assert runner not in (without.build_command or "")


def test_members_that_are_listed_by_pnpm_and_taken_out_again():
    listed = "packages:\n  - apps/*\n  - packages/**\n  - '!apps/old'\n"
    old = {"apps/old/package.json": {**WEB, "name": "old"}, "apps/old/index.html": "x"}
    files = _files(**{"pnpm-workspace.yaml": listed, "pnpm-lock.yaml": "", **old})
    del files["package-lock.json"]
    plan = detect(Files(files))

    assert (plan.root_directory, plan.package_manager) == ("apps/web", "pnpm")
    assert "pnpm install" in (plan.install_command or "")


def test_several_applications_are_a_choice_with_their_folders_as_data():
    api = {"apps/api/package.json": {"name": "api", "scripts": {"start": "node x.js"}}}
    with pytest.raises(NothingDetected) as caught:
        detect(Files(_files(**api)))

    assert caught.value.facts["choices"] == [
        {"rootDirectory": "apps/api", "label": "Node.js"},
        {"rootDirectory": "apps/web", "label": "Vite"},
    ]
    chosen = detect(Files(_files(**api)), Overrides(root_directory="apps/web"))
    assert chosen.root_directory == "apps/web"


def test_a_top_that_is_an_application_itself_stays_one():
    top = {**TOP, "dependencies": {"next": "15"}, "scripts": {"build": "next build"}}

    assert detect(Files(_files(**{"package.json": top}))).root_directory == "."
    said = Overrides(start_command="npm run everything")
    assert detect(Files(_files()), said).root_directory == "."


def test_a_server_without_a_build_of_its_own_gets_the_packages_that_building_others_needs():
    server = {"name": "web", "dependencies": {"ui": "*"}, "scripts": {"start": "node x.js"}}
    plan = detect(Files(_files(**{"apps/web/package.json": server, "apps/web/x.js": ""})))

    assert "--include=dev" in (plan.install_command or "")
    assert (plan.build_command or "").endswith("(cd ../../packages/ui && npm run build)")


def test_members_that_need_each_other_in_a_circle_end():
    core = {**CORE, "dependencies": {"ui": "*", "web": "*"}}
    plan = detect(Files(_files(**{"packages/core/package.json": core})))

    assert (plan.build_command or "").count("npm run build") == 3


def _nx(**projects: dict[str, object]) -> dict[str, object]:
    """One package.json for all, as Nx makes it."""
    files: dict[str, object] = {
        "nx.json": {},
        "package.json": {"dependencies": {"react": "19", "express": "5", "vite": "7"}},
        "package-lock.json": "{}",
        "libs/kit/project.json": {"name": "kit", "projectType": "library"},
    }
    for name, build in projects.items():
        project = {"name": name, "projectType": "application", "targets": {"build": build}}
        files[f"apps/{name}/project.json"] = project
    return files


def test_the_application_of_nx_is_built_from_the_top_and_its_output_lies_there():
    build = {"executor": "@nx/vite:build", "options": {"outputPath": "dist/apps/web"}}
    plan = detect(Files(_nx(web=build)))

    assert (plan.framework, plan.root_directory) == ("nx", ".")
    assert (plan.kind, plan.output_directory) == ("static", "dist/apps/web")
    assert plan.build_command == "nx run web:build"
    assert plan.install_command == "npm ci --include=dev --no-audit --no-fund"


def test_several_applications_of_nx_are_a_choice_and_a_server_starts_its_main():
    api = {"executor": "@nx/esbuild:esbuild", "options": {}}
    files = _nx(api=api, web={"executor": "@nx/vite:build"})
    with pytest.raises(NothingDetected, match=r"`apps/api` looks like Nx \(api\)"):
        detect(Files(files))

    plan = detect(Files(files), Overrides(root_directory="apps/api"))
    assert plan.start_command == "node dist/apps/api/main.js"


def test_an_output_of_nx_outside_of_the_source_is_refused():
    build = {"executor": "@nx/vite:build", "options": {"outputPath": "../../etc"}}
    with pytest.raises(OutputOutside):
        detect(Files(_nx(web=build)), Overrides(root_directory="apps/web"))
