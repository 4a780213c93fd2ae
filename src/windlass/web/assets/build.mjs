// Bundles the panel's styles, islands and icons into ../static with the content's hash in every
// name, so that each file may be cached for ever; manifest.json maps plain names to hashed ones.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "static");
const require = createRequire(import.meta.url);
const manifest = {};

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: ["chrome123", "firefox121", "safari17.5"],
  legalComments: "linked",
  outdir: target,
  metafile: true,
  logLevel: "warning",
};

async function bundle(entryPoints, options = {}) {
  const result = await build({
    ...common,
    entryPoints,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    ...options,
  });
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    if (!output.entryPoint || path.endsWith(".LEGAL.txt")) continue;
    const plain = basename(output.entryPoint).replace(/\.ts$/, ".js");
    manifest[plain] = basename(path);
  }
}

async function hashed(name, content) {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 10).toUpperCase();
  const [stem, extension] = name.split(".");
  manifest[name] = `${stem}-${digest}.${extension}`;
  await writeFile(join(target, manifest[name]), content);
}

async function sprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const icon = await readFile(require.resolve(`lucide-static/icons/${name}.svg`), "utf8");
      const shapes = icon.slice(icon.indexOf(">", icon.indexOf("<svg")) + 1, icon.indexOf("</svg>"));
      return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
    }),
  );
  await hashed("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await bundle(["islands/app.ts"], { format: "esm", splitting: true });
await bundle(["islands/hash-worker.ts", "islands/live-worker.ts"], { format: "iife" });
await bundle(["styles/app.css"]);
await sprite();
for (const name of await readdir(join(here, "images"))) {
  await hashed(name, await readFile(join(here, "images", name)));
}
// The stamp lets the Python side see in a moment that nothing changed. It is written last.
await writeFile(
  join(target, "manifest.json"),
  JSON.stringify({ stamp: process.argv[2] ?? "", files: manifest }, null, 1),
);
