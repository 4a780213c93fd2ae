"""Package managers, Node servers and sites, by parsed manifests alone."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import NothingDetected, OutputOutside, UnsupportedPlan
from windlass.builds.plan import Installed, Overrides

VITE = {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6"}}
PAGE = {"index.html": "<title>x</title>"}


@pytest.mark.parametrize(
    ("package", "lock", "command"),
    [
        ({}, {"package-lock.json": "{}"}, "npm ci --include=dev"),
        ({}, {"npm-shrinkwrap.json": "{}"}, "npm ci --include=dev"),
        ({}, {}, "npm install --include=dev"),
        (
            {},
            {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
            "pnpm@10 && pnpm install --frozen-lockfile --prod=false",
        ),
        ({}, {"pnpm-lock.yaml": "lockfileVersion: 5.4\n"}, "pnpm@7 &&"),
        ({}, {"pnpm-lock.yaml": "lockfileVersion: '6.0'\n"}, "pnpm@8 &&"),
        ({}, {"yarn.lock": "# yarn lockfile v1\n"}, "yarn@1 && yarn install --frozen-lockfile"),
        (
            {},
            {"yarn.lock": "__metadata:\n  version: 8\n"},
            "@yarnpkg/cli-dist@4 && yarn install --immutable",
        ),
        ({}, {"yarn.lock": "__metadata:\n  version: 6\n"}, "@yarnpkg/cli-dist@3 &&"),
        ({}, {"bun.lock": "{}"}, "bun@1 && bun install --frozen-lockfile"),
        ({"packageManager": "pnpm@9.1.0+sha512.abc"}, {}, "pnpm@9.1.0 && pnpm install --no-frozen"),
        (
            {"packageManager": "yarn@4.5.0"},
            {"yarn.lock": "__metadata:\n  version: 8\n"},
            "@yarnpkg/cli-dist@4.5.0 && yarn install --immutable",
        ),
        ({"packageManager": "npm@10.0.0"}, {"package-lock.json": "{}", "yarn.lock": ""}, "npm ci"),
        ({"packageManager": "pnpm@1; rm -rf /"}, {"package-lock.json": "{}"}, "npm ci"),
        ({"packageManager": ["pnpm"]}, {"package-lock.json": "{}"}, "npm ci"),
    ],
)
def test_the_package_manager_is_the_named_one_then_that_of_the_lock_file_then_npm(
    package: dict[str, object], lock: dict[str, str], command: str
):
    plan = detect(Files({"package.json": {**VITE, **package}, **PAGE, **lock}))

    assert command in (plan.install_command or "")
    assert "rm -rf" not in (plan.install_command or "")


def test_several_lock_files_are_a_warning_and_the_choice_is_deterministic():
    locks = {"yarn.lock": "", "package-lock.json": "{}", "pnpm-lock.yaml": ""}
    plan = detect(Files({"package.json": VITE, **locks}))

    assert plan.package_manager == "pnpm"
    assert any("Several lock files" in warning for warning in plan.warnings)


def test_a_dependency_counts_and_a_word_in_the_description_does_not():
    package = {"description": "not built with vite or next", "keywords": ["express", "astro"]}
    plan = detect(Files({"package.json": package, **PAGE}))

    assert plan.framework == "static"
    assert any("tooling" in warning for warning in plan.warnings)


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ("export default {}", "dist"),
        ("export default { build: { outDir: 'site' } }", "site"),
        ("export default { root: 'client', build: { outDir: '../public' } }", "public"),
        ("export default { root: 'client' }", "client/dist"),
        ("export default { build: { outDir: process.env.OUT } }", "dist"),
        (
            "import { resolve } from 'path'\nexport default { build: { outDir: resolve('web') } }",
            "web",
        ),
    ],
)
def test_the_output_of_vite_is_read_from_its_configuration(config: str, output: str):
    plan = detect(Files({"package.json": VITE, "vite.config.ts": config, **PAGE}))

    assert plan.output_directory == output
    assert any("outDir is computed" in warning for warning in plan.warnings) == ("env" in config)


def test_an_output_folder_outside_the_root_directory_is_refused():
    files = {
        "client/package.json": VITE,
        "client/vite.config.js": "export default { build: { outDir: '../server/public' } }",
    }
    with pytest.raises(OutputOutside, match=r"client/vite\.config\.js"):
        detect(Files(files), Overrides(root_directory="client"))


def test_a_flag_of_the_script_names_the_output_folder():
    package = {"scripts": {"build": "tsc -b && NODE_ENV=x npx vite build --outDir=www"}}
    plan = detect(Files({"package.json": {**VITE, **package}, **PAGE}))

    assert plan.output_directory == "www"


def test_a_vite_project_with_its_own_404_page_is_no_single_page_app():
    plan = detect(Files({"package.json": VITE, "public/404.html": "x", **PAGE}))

    assert plan.fallback is None
    assert detect(Files({"package.json": VITE, **PAGE})).fallback == "index.html"


@pytest.mark.parametrize(
    ("files", "kind", "where"),
    [
        ({"next.config.js": "module.exports = { output: 'export' }"}, "static", "out"),
        ({"next.config.js": "module.exports = {\n// output: 'export'\n}"}, "server", None),
        (
            {"next.config.ts": "export default { output: 'export', distDir: 'web' }"},
            "static",
            "web",
        ),
        ({}, "server", None),
    ],
)
def test_next_js_is_files_only_when_its_configuration_exports(
    files: dict[str, str], kind: str, where: str | None
):
    package = {"dependencies": {"next": "15"}, "scripts": {"build": "next build"}}
    plan = detect(Files({"package.json": package, **files}))

    assert (plan.framework, plan.kind, plan.output_directory) == ("nextjs", kind, where)


def test_a_standalone_next_js_server_in_a_workspace_starts_where_next_puts_it():
    files = {
        "package.json": {"workspaces": ["apps/*"]},
        "package-lock.json": "{}",
        "apps/web/package.json": {
            "dependencies": {"next": "15"},
            "scripts": {"build": "next build"},
        },
        "apps/web/next.config.mjs": "export default { output: 'standalone' }",
        "apps/web/public/a.txt": "a",
    }
    plan = detect(Files(files), Overrides(root_directory="apps/web"))

    assert plan.start_command == "node .next/standalone/apps/web/server.js"
    assert "cp -R public .next/standalone/apps/web/public" in (plan.build_command or "")
    assert plan.install_command == "cd ../.. && npm ci --include=dev --no-audit --no-fund"
    assert plan.cache_directories == ("apps/web/node_modules", "node_modules")


def test_astro_with_an_adapter_of_another_platform_is_refused_with_the_way_out():
    files = {
        "package.json": {"dependencies": {"astro": "5"}, "scripts": {"build": "astro build"}},
        "astro.config.mjs": "import vercel from '@astrojs/vercel'\n"
        "export default { output: 'server', adapter: vercel() }",
    }
    with pytest.raises(UnsupportedPlan, match="@astrojs/node"):
        detect(Files(files))


def test_astro_is_a_server_as_soon_as_one_page_asks_to_be_made_on_request():
    files = {
        "package.json": {"dependencies": {"astro": "5"}, "scripts": {"build": "astro build"}},
        "astro.config.mjs": "import node from '@astrojs/node'\n"
        "export default { adapter: node({ mode: 'standalone' }) }",
        "src/pages/index.astro": "---\nconst a = 1\n---\n<p>export const prerender = true</p>",
    }
    assert detect(Files(files)).kind == "static"
    files["src/pages/live.astro"] = "---\nexport const prerender = false\n---\n<p>live</p>"
    assert detect(Files(files)).kind == "server"


def test_a_start_script_that_shows_a_site_makes_no_server_and_one_that_listens_does():
    site = {**VITE, "scripts": {"build": "vite build", "start": "vite preview"}}
    server = {**VITE, "scripts": {"build": "vite build", "start": "node server.js"}}
    code = "import http from 'node:http'\nhttp.createServer(() => {}).listen(process.env.PORT)"

    assert detect(Files({"package.json": site, **PAGE})).kind == "static"
    assert detect(Files({"package.json": server, "server.js": code, **PAGE})).kind == "server"


def test_the_first_port_that_is_written_down_is_given_to_the_server():
    code = "const port = 8123\nrequire('express')().listen(port)"
    package = {"main": "server.js", "dependencies": {"express": "5"}}
    plan = detect(Files({"package.json": package, "server.js": code}))

    assert (plan.framework, plan.port) == ("express", 8123)
    flexible = code.replace("8123", "process.env.PORT || 8123")
    assert detect(Files({"package.json": package, "server.js": flexible})).port == 3000


def test_a_main_file_beside_a_page_is_what_npm_init_writes_and_no_server():
    files = {"package.json": {"main": "index.js"}, "index.js": "console.log(1)", **PAGE}

    assert detect(Files(files)).framework == "static"


def test_a_start_script_with_arguments_for_a_shell_runs_through_npm():
    package = {"scripts": {"start": "node server.js | tee log"}}

    assert detect(Files({"package.json": package})).start_command == "npm run start"


def test_a_build_script_names_its_output_folder_or_a_warning_says_it_is_assumed():
    sass = {"scripts": {"build": "sass scss:public/css"}, "devDependencies": {"sass": "1"}}
    unknown = {"scripts": {"build": "make"}, "devDependencies": {"x": "1"}}

    assert detect(Files({"package.json": sass})).output_directory == "public"
    plan = detect(Files({"package.json": unknown}))
    assert plan.output_directory == "dist"
    assert any("assumed" in warning for warning in plan.warnings)


def test_scripts_that_call_each_other_in_a_circle_end():
    scripts = {"build": "npm run a", "a": "npm run b && npm run b", "b": "npm run a; npm run a"}

    assert detect(Files({"package.json": {"scripts": scripts}})).framework == "node-build"


def test_angular_sveltekit_and_nuxt_are_read_from_their_own_configuration():
    angular = {
        "package.json": {"dependencies": {"@angular/core": "19"}, "scripts": {"build": "ng build"}},
        "angular.json": {
            "projects": {
                "shop": {"architect": {"build": {"builder": "@angular/build:application"}}}
            }
        },
    }
    svelte = {
        "package.json": {"devDependencies": {"@sveltejs/kit": "2"}},
        "svelte.config.js": "import adapter from '@sveltejs/adapter-static'\n"
        "export default { kit: { adapter: adapter({ pages: 'web', fallback: '200.html' }) } }",
    }
    nuxt = {"package.json": {"dependencies": {"nuxt": "3"}, "scripts": {"build": "nuxt generate"}}}

    assert detect(Files(angular)).output_directory == "dist/shop/browser"
    assert detect(Files(svelte)).output_directory == "web"
    assert detect(Files(svelte)).fallback == "200.html"
    assert detect(Files(nuxt)).output_directory == ".output/public"


def test_a_version_that_the_machine_does_not_have_is_a_warning():
    files = {"package.json": {**VITE, "engines": {"node": ">=22"}}, **PAGE}

    assert any(
        "Node.js >=22" in text
        for text in detect(Files(files), installed=Installed(node="20.20.2")).warnings
    )
    assert not any(
        "Node.js" in text
        for text in detect(Files(files), installed=Installed(node="22.1.0")).warnings
    )
    pinned = {"package.json": VITE, ".nvmrc": "v18.20.1\n"}
    assert any(
        ".nvmrc" in text
        for text in detect(Files(pinned), installed=Installed(node="20.20.2")).warnings
    )


def test_a_base_path_that_would_break_the_site_is_a_warning():
    files = {"package.json": VITE, "vite.config.js": "export default { base: '/repo/' }"}

    assert any("base is '/repo/'" in warning for warning in detect(Files(files)).warnings)


def test_a_monorepo_without_a_root_directory_says_which_folders_would_work():
    files = {
        "package.json": {"workspaces": ["apps/*"]},
        "apps/web/package.json": VITE,
        "apps/api/package.json": {"dependencies": {"express": "5"}, "scripts": {"start": "node ."}},
    }
    with pytest.raises(NothingDetected) as caught:
        detect(Files(files))

    assert "`apps/web` looks like Vite" in caught.value.message
    assert "`apps/api` looks like Express" in caught.value.message


def test_a_build_script_of_a_known_tool_is_no_second_meaning():
    plan = detect(Files({"package.json": VITE, **PAGE}))

    assert not any("could also be" in line for line in plan.evidence)
