import { mkdirSync, writeFileSync } from "node:fs";

mkdirSync("out", { recursive: true });
writeFileSync("out/index.html", "<!doctype html><title>Own script</title><h1>Built by its own script</h1>");
