"""Node frameworks that are a site or a server, as their own configuration says."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import UnsupportedPlan

PAGE = {"index.html": "<title>x</title>"}
ANSWERED = {"scripts": {"build": "vite build"}}


@pytest.mark.parametrize(
    ("files", "kind", "where"),
    [
        ({"react-router.config.ts": "export default { ssr: true }"}, "server", None),
        ({}, "server", None),
        (
            {"react-router.config.ts": "export default { ssr: false, buildDirectory: 'out' }"},
            "static",
            "out/client",
        ),
        ({"react-router.config.ts": "export default {\n// ssr: false\n}"}, "server", None),
    ],
)
def test_react_router_is_a_single_page_only_when_its_configuration_says_so(
    files: dict[str, str], kind: str, where: str | None
):
    package = {"devDependencies": {"@react-router/dev": "7", "vite": "7"}, **ANSWERED}
    plan = detect(Files({"package.json": package, **files}))

    assert (plan.framework, plan.kind, plan.output_directory) == ("react-router", kind, where)
    assert plan.start_command == (
        "react-router-serve ./build/server/index.js" if kind == "server" else None
    )


def test_remix_reads_its_settings_from_the_plugin_and_its_own_server_is_started():
    package = {"dependencies": {"@remix-run/dev": "2"}, "scripts": {"start": "node server.mjs"}}
    config = "import { vitePlugin as remix } from 'x'\nexport default { plugins: [remix({%s})] }"

    served = detect(Files({"package.json": package, "vite.config.ts": config % ""}))
    single = detect(Files({"package.json": package, "vite.config.ts": config % "ssr: false"}))
    classic = {"dependencies": {"@remix-run/dev": "1"}, "scripts": {"build": "remix build"}}

    assert served.start_command == "node server.mjs"
    assert (single.kind, single.output_directory) == ("static", "build/client")
    assert detect(Files({"package.json": classic})).start_command == (
        "remix-serve ./build/index.js"
    )


@pytest.mark.parametrize(
    ("name", "package", "file", "config"),
    [
        ("nuxt", "nuxt", "nuxt.config.ts", "export default defineNuxtConfig({ nitro: %s })"),
        ("solidstart", "@solidjs/start", "app.config.ts", "export default f({ server: %s })"),
        ("nitro", "nitropack", "nitro.config.ts", "export default defineNitroConfig(%s)"),
    ],
)
def test_a_preset_of_nitro_decides_between_files_and_a_server(
    name: str, package: str, file: str, config: str
):
    def plan(preset: str):
        content = config % (f"{{ preset: '{preset}' }}" if preset else "{}")
        manifest = {"dependencies": {package: "1"}, "scripts": {"build": "nitro build"}}
        return detect(Files({"package.json": manifest, file: content}))

    assert (plan("").framework, plan("").start_command) == (
        name,
        "node .output/server/index.mjs",
    )
    assert plan("node-server").kind == "server"
    assert plan("static").output_directory == ".output/public"
    with pytest.raises(UnsupportedPlan, match="node-server"):
        plan("vercel")


def test_tanstack_start_without_nitro_needs_a_start_script_that_listens():
    manifest = {"dependencies": {"@tanstack/react-start": "1"}, "scripts": {"build": "vite build"}}
    with pytest.raises(UnsupportedPlan, match="Nitro"):
        detect(Files({"package.json": manifest}))
    started = {**manifest, "scripts": {"build": "vite build", "start": "srvx dist/server.js"}}
    owned = {**manifest, "dependencies": {"@tanstack/react-start": "1", "nitro": "3"}}
    spa = "export default { plugins: [tanstackStart({ spa: { enabled: true } })] }"

    assert detect(Files({"package.json": started})).start_command == "npm run start"
    plan = detect(Files({"package.json": owned}))
    assert (plan.framework, plan.start_command) == (
        "tanstack-start",
        "node .output/server/index.mjs",
    )
    page = detect(Files({"package.json": manifest, "vite.config.ts": spa}))
    assert (page.kind, page.fallback) == ("static", "_shell.html")


def test_angular_with_a_server_is_started_and_a_library_is_passed_over():
    def plan(options: dict[str, object]):
        target = {"build": {"builder": "@angular/build:application", "options": options}}
        projects = {
            "kit": {"projectType": "library", "architect": {"build": {"builder": "x:ng-packagr"}}},
            "shop": {"projectType": "application", "architect": target},
        }
        manifest = {"dependencies": {"@angular/core": "20"}, "scripts": {"build": "ng build"}}
        return detect(Files({"package.json": manifest, "angular.json": {"projects": projects}}))

    ssr = {"ssr": {"entry": "src/server.ts"}, "outputMode": "server"}
    assert plan(ssr).start_command == "node dist/shop/server/server.mjs"
    prerendered = plan({**ssr, "outputMode": "static"})
    assert (prerendered.kind, prerendered.fallback) == ("static", "index.csr.html")
    assert plan({}).output_directory == "dist/shop/browser"
    assert plan({"outputPath": {"base": "www", "browser": ""}}).output_directory == "www"


def test_nest_starts_what_it_built_and_not_its_compiler():
    scripts = {"build": "nest build", "start": "nest start", "start:prod": "node dist/main"}
    package = {"dependencies": {"@nestjs/core": "11"}, "scripts": scripts}

    assert detect(Files({"package.json": package})).start_command == "node dist/main"


def test_a_port_written_in_what_is_compiled_is_found_in_its_source():
    package = {
        "dependencies": {"hono": "4"},
        "scripts": {"build": "tsc", "start": "node dist/a.js"},
    }
    code = "import { serve } from '@hono/node-server'\nserve({ fetch: app.fetch, port: 8787 })"

    assert detect(Files({"package.json": package, "src/a.ts": code})).port == 8787
    free = code.replace("8787", "Number(process.env.PORT)")
    assert detect(Files({"package.json": package, "src/a.ts": free})).port == 3000


def test_vuepress_writes_beside_its_documents_or_where_its_configuration_says():
    package = {"devDependencies": {"vuepress": "2"}, "scripts": {"build": "vuepress build docs"}}
    files = {"package.json": package, "docs/README.md": "# x"}

    assert detect(Files(files)).output_directory == "docs/.vuepress/dist"
    config = {"docs/.vuepress/config.js": "export default { dest: 'public' }"}
    assert detect(Files({**files, **config})).output_directory == "public"


def test_storybook_is_the_site_of_components_and_not_of_an_application():
    package = {
        "scripts": {"build-storybook": "storybook build -o book"},
        "devDependencies": {"storybook": "9", "vite": "7"},
    }
    assert detect(Files({"package.json": package})).output_directory == "book"
    app = {**package, "scripts": {**package["scripts"], "build": "vite build"}}
    assert detect(Files({"package.json": app, **PAGE})).framework == "vite"
