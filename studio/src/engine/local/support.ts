/** Whether this browser can run the networks. */

import { BROWSERS } from "../../browsers.ts";
import { LocalError } from "./failure.ts";

/** The smallest module with an instruction of 128 bits: a function that makes a vector of a number and counts its bits. */
const SIMD_MODULE = Uint8Array.of(
  // "\0asm", version 1; a type () -> v128; a function of it; its code: i32.const 0, i8x16.splat, i8x16.popcnt
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Throws LocalError where something is missing that local mode needs. */
export function checkSupport(scope: typeof globalThis = globalThis): void {
  const { WebAssembly } = scope;
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(SIMD_MODULE)) {
    throw missing("WebAssembly with SIMD");
  }
  if (typeof scope.Worker !== "function") throw missing("workers");
  if (typeof scope.OffscreenCanvas !== "function" || typeof scope.createImageBitmap !== "function") {
    throw missing("pictures in workers (OffscreenCanvas)");
  }
}

function missing(what: string): LocalError {
  return new LocalError(
    "unavailable",
    `This browser lacks ${what}, which local mode needs. Use ${BROWSERS}, or the server in place of local mode.`,
  );
}
