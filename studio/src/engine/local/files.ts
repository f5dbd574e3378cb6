/** Fetches the files that local mode needs, and says in words what is wrong with one. */

import { LocalError } from "./failure.ts";

/** The bytes of a file. sha256: in hexadecimal, that of the file that was published; it is checked where the browser can
 * (pages over HTTPS or from this machine). Throws LocalError. */
export async function fetchBytes(url: URL, sha256?: string): Promise<ArrayBuffer> {
  const bytes = await read(url);
  if (sha256 === undefined || !globalThis.crypto?.subtle) return bytes;
  const actual = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(actual, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex === sha256.toLowerCase()) return bytes;
  throw new LocalError(
    "unavailable",
    `The file ${url.href} is not the published one: it has ${bytes.byteLength} bytes with sha256 ${hex}, the manifest ` +
      `says ${sha256}. Reload the page; if that does not help, its host has to restore the file and its manifest.`,
  );
}

async function read(url: URL): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
    if (response.ok) return await response.arrayBuffer();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LocalError(
      "unavailable",
      `The file ${url.href} could not be fetched (${reason}). Check the network, and reload the page.`,
    );
  }
  throw new LocalError(
    "unavailable",
    `The file ${url.href} could not be fetched: its host answered ${response.status}. It belongs to this page: where you ` +
      "host it yourself, copy the whole folder that `npm run build:static` makes.",
  );
}
