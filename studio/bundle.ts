/** What the page's folder holds beside Vite's own output: onnxruntime's two files, and in the static form everything that
 * the service serves from elsewhere. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { Plugin } from "vite";

const RUNTIME = "node_modules/onnxruntime-web/dist";
const SCRIPT = "ort-wasm-simd-threaded.mjs";
const WASM = "ort-wasm-simd-threaded.wasm";

/** Where the service finds what is not built here, relative to studio/, by the folder under which it serves it. */
const SERVED: Readonly<Record<string, readonly [folder: string, files: RegExp]>> = {
  characters: ["characters", /\.glb$/],
  film: ["film", /\.webm$/],
  models: ["../models", /^(manifest\.json|face_model\.npz|[ms]fn\.int8\.onnx)$/],
};

const MEDIA_TYPES: Readonly<Record<string, string>> = { ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Adds these files to a build, and to what the development server serves.
 *
 * studio: the folder studio/. whole: everything, as any host can serve it; otherwise what the service lacks, with
 * onnxruntime's WebAssembly compressed. */
export function bundle(studio: string, whole: boolean): Plugin {
  const served = new Map([...runtimeFiles(studio), ...servedFiles(studio)]);
  const stored = join(studio, "dist/assets", `${WASM}.br`);
  let before: Buffer | undefined; // of the last build: Vite empties its folder before it asks for files
  return {
    name: "bundle",
    buildStart() {
      before = existsSync(stored) ? readFileSync(stored) : undefined;
    },
    generateBundle() {
      const files = whole ? served : runtimeFiles(studio);
      for (const [fileName, path] of files) {
        if (whole || basename(path) !== WASM) this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
        else this.emitFile({ type: "asset", fileName: `${fileName}.br`, source: compressed(path, before) });
      }
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = (request.url ?? "").replace(/\?.*/, "").slice(1);
        const path = served.get(name);
        if (path === undefined) return next();
        const type = MEDIA_TYPES[name.slice(name.lastIndexOf("."))] ?? "application/octet-stream";
        response.setHeader("Content-Type", type);
        response.end(readFileSync(path));
      });
    },
  };
}

/** Paths by the names under which the page asks for them. */
type Files = Map<string, string>;

function runtimeFiles(studio: string): Files {
  return new Map([SCRIPT, WASM].map((name) => [`assets/${name}`, join(studio, RUNTIME, name)]));
}

function servedFiles(studio: string): Files {
  return new Map(
    Object.entries(SERVED).flatMap(([name, [folder, files]]) => {
      const path = join(studio, folder);
      if (!existsSync(path)) return [];
      const names = readdirSync(path).filter((file) => files.test(file));
      return names.map((file) => [`${name}/${file}`, join(path, file)] as const);
    }),
  );
}

/** A file in Brotli's best quality. That takes a minute, so what was made before is taken where it holds the same. */
function compressed(path: string, before: Buffer | undefined): Buffer {
  const bytes = readFileSync(path);
  if (before && brotliDecompressSync(before).equals(bytes)) return before;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return brotliCompressSync(bytes, { params });
}
