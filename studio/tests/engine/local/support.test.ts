import { expect, test, vi } from "vitest";
import { checkSupport } from "../../../src/engine/local/support.ts";

/** A browser that has everything. */
function browser(): typeof globalThis {
  const scope = { WebAssembly, Worker: vi.fn(), OffscreenCanvas: vi.fn(), createImageBitmap: vi.fn() };
  return scope as unknown as typeof globalThis;
}

test("a browser that has everything", () => {
  expect(() => checkSupport(browser())).not.toThrow();
});

test("WebAssembly without SIMD", () => {
  const scope = Object.assign(browser(), { WebAssembly: { validate: () => false } });
  expect(() => checkSupport(scope)).toThrow(/^This browser lacks WebAssembly with SIMD, .+ or the server/);
});

test.each([
  ["WebAssembly", "WebAssembly"],
  ["Worker", "workers"],
  ["OffscreenCanvas", "OffscreenCanvas"],
  ["createImageBitmap", "OffscreenCanvas"],
])("no %s", (name, word) => {
  expect(() => checkSupport(Object.assign(browser(), { [name]: undefined }))).toThrow(word);
});
