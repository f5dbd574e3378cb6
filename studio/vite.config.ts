import { fileURLToPath } from "node:url";
import { defaultClientConditions } from "vite";
import { defineConfig } from "vitest/config";
import { bundle } from "./bundle.ts";
import { licenses } from "./licenses.ts";
import { preload } from "./preload.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The mode static makes a folder that any host can serve, in which the page starts in local mode. */
const STATIC = "static";

export default defineConfig(({ mode }) => ({
  base: "./", // the page may lie under any path
  publicDir: false,
  plugins: [preload(), licenses(here(".")), bundle(here("."), mode === STATIC)],
  resolve: {
    alias: { "mfn-client": here("../clients/javascript/src/index.ts") },
    // onnxruntime without its script inside, which would start threads with the script that it was bundled into
    conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions],
  },
  build: {
    outDir: mode === STATIC ? "build/static" : "dist",
    target: "es2023",
    sourcemap: false,
    reportCompressedSize: true,
  },
  worker: { format: "es" },
  server: {
    proxy: { "/retarget": { target: "http://localhost:8000", ws: true }, "/model": "http://localhost:8000" },
    fs: { allow: [here("..")] },
  },
  test: { include: ["tests/**/*.test.ts"] },
}));
