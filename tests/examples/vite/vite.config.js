import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  // outDir: "elsewhere"
  build: { outDir: resolve(import.meta.dirname, "site"), emptyOutDir: true },
});
