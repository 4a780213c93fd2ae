"""Configuration files of JavaScript read as data: comments and strings fool nobody."""

import pytest

from windlass.builds.detect.javascript import Config
from windlass.builds.detect.values import MISSING, Unknown


@pytest.mark.parametrize(
    "source",
    [
        "module.exports = { output: 'export' }",
        'const config = {\n  // a comment\n  output: "export",\n}\nmodule.exports = config',
        "import type { NextConfig } from 'next'\n"
        "const config: NextConfig = { output: 'export' }\nexport default config",
        "export default withMDX({ extension: /\\.mdx?$/ })({ output: `export` })",
        "export default { output: 'export' } satisfies NextConfig",
        "export default { output: 'export' as const }",
        "export default async (phase, { base }) => ({ ...base, output: 'export' })",
        "export default function config() { const a = 1; return { output: 'export' } }",
        "const base = { output: 'export' }\nexport default { ...base, distDir: 'x' }",
        "export { settings as default }\nconst settings = { 'output': 'export' }",
        "export default { title: `${`}`} {`, re: /[/'\"]}/, output: 'export' }",
        "export default defineConfig<Options>({ output: 'export' })",
    ],
)
def test_a_literal_is_found_however_the_file_exports_it(source: str):
    assert Config(source).get("output") == "export"


@pytest.mark.parametrize(
    "source",
    [
        "module.exports = { /* output: 'export' */ }",
        "module.exports = {\n  // output: 'export',\n  reactStrictMode: true }",
        "module.exports = { note: \"output: 'export'\" }",
        "const other = { output: 'export' }\nmodule.exports = { images: other }",
        "module.exports = { env: { output: 'export' } }",
        "// module.exports = { output: 'export' }\nmodule.exports = {}",
    ],
)
def test_a_comment_a_string_or_another_object_is_no_setting(source: str):
    assert Config(source).get("output") == MISSING


@pytest.mark.parametrize(
    "source",
    [
        "export default { output: process.env.STATIC ? 'export' : undefined }",
        "export default { output: 'ex' + 'port' }",
        "export default { output: mode }",
        "export default { get output() { return 'export' } }",
        "const a = b; const b = a; export default { output: a }",
        "export default load('./config')",
    ],
)
def test_what_is_computed_is_unknown_and_not_guessed(source: str):
    assert isinstance(Config(source).get("output"), Unknown)


def test_paths_made_of_literals_are_read():
    config = Config(
        "import path from 'node:path'\n"
        "export default { build: { outDir: path.resolve(__dirname, '..', 'site') } }"
    )

    assert config.text("build.outDir") == "../site"


@pytest.mark.parametrize(
    "source",
    [
        "(" * 100_000,
        "{a:" * 40_000,
        '"\\' * 60_000,
        "=/[" * 40_000,
        "`${" * 40_000,
        "/*" * 60_000,
        "module.exports=" * 8_000,
        "export default " + "function(){return " * 7_000,
        "export default " + "()=>(" * 20_000,
        "".join(f"const a{i}={{...a{i + 1},...a{i + 1}}};" for i in range(2_000))
        + "export default a0",
        "const a={" + "...a," * 20_000 + "};export default a",
    ],
)
def test_hostile_files_end(source: str):
    Config(source).get("output.deep")
