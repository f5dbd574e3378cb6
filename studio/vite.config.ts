import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { licenses } from "./licenses.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "./", // the page may lie under any path
  publicDir: false,
  plugins: [licenses(here("."))],
  resolve: { alias: { "mfn-client": here("../clients/javascript/src/index.ts") } },
  build: { outDir: "dist", target: "es2023", sourcemap: false, reportCompressedSize: true },
  server: { proxy: { "/retarget": { target: "http://localhost:8000", ws: true }, "/model": "http://localhost:8000" } },
  test: { include: ["tests/**/*.test.ts"] },
});
