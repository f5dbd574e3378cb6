import { afterEach, expect, test, vi } from "vitest";
import { fetchBytes } from "../../../src/engine/local/files.ts";

const URL_OF_FILE = new URL("https://example.org/a/models/mfn.int8.onnx");
const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1

function host(answer: () => Promise<Response>): void {
  vi.stubGlobal("fetch", vi.fn(answer));
}

afterEach(() => vi.unstubAllGlobals());

test("a file whose checksum is right, however it is written", async () => {
  host(async () => new Response("abc"));
  expect(new TextDecoder().decode(await fetchBytes(URL_OF_FILE, SHA256_OF_ABC.toUpperCase()))).toBe("abc");
});

test("a file of other bytes", async () => {
  host(async () => new Response("abcd"));
  const told = /^The file https:\/\/example\.org\/a\/models\/mfn\.int8\.onnx is not the published one: it has 4 bytes/;
  await expect(fetchBytes(URL_OF_FILE, SHA256_OF_ABC)).rejects.toThrow(told);
});

test("a page that is not secure cannot check", async () => {
  host(async () => new Response("abcd"));
  vi.stubGlobal("crypto", {});
  await expect(fetchBytes(URL_OF_FILE, SHA256_OF_ABC)).resolves.toHaveProperty("byteLength", 4);
});

test("a file that is missing", async () => {
  host(async () => new Response("", { status: 404 }));
  await expect(fetchBytes(URL_OF_FILE)).rejects.toThrow(/its host answered 404\. .+ copy the whole folder/);
});

test("no network", async () => {
  host(() => Promise.reject(new TypeError("Failed to fetch")));
  await expect(fetchBytes(URL_OF_FILE)).rejects.toThrow(/could not be fetched \(Failed to fetch\)\. Check the network/);
});

test("a network that ends in the middle of a file", async () => {
  const body = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  host(async () => new Response(body));
  await expect(fetchBytes(URL_OF_FILE)).rejects.toThrow(/could not be fetched \(network error\)/);
});
