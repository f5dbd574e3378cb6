import { expect, test } from "vitest";
import { pictureSize } from "../../src/stage/picture-size.ts";

const bytes = (hexadecimal: string) => Uint8Array.from(Buffer.from(hexadecimal.replaceAll(" ", ""), "hex"));

// The beginnings of what Pillow writes for a picture of 300 x 200.
test.each([
  ["PNG", "89504e470d0a1a0a0000000d494844520000012c000000c8"],
  ["JPEG", "ffd8ffe000104a46494600010100000100010000ffc000110800c8012c030122"],
  ["JPEG, progressive", "ffd8ffe000104a46494600010100000100010000ffc200110800c8012c030122"],
  ["WebP", "52494646c00000005745425056503820b4000000f010009d012a2c01c8003e6d"],
  ["WebP without loss", "5249464624000000574542505650384c180000002f2bc131000750e42ad4a3ff"],
  ["WebP with transparency", "52494646d200000057454250565038580a000000100000002b0100c70000414c"],
])("of a %s file", (_, head) => {
  expect(pictureSize(bytes(head))).toEqual({ width: 300, height: 200 });
  for (let end = 0; end < 12; end++) expect(pictureSize(bytes(head).subarray(0, end))).toBeUndefined();
});

test("of a JPEG file with something between its segments, decoders differ", () => {
  const segments = ["ffd8", "00ffe0000b0800640064030122", "ffc000110800c8012c030122"]; // a frame of 100 x 100 within
  expect(pictureSize(bytes(segments.join("")))).toBeUndefined();
  expect(pictureSize(bytes(["ffd8", "ffd0000b0800640064030122", "ffc000110800c8012c030122"].join("")))).toBeUndefined();
});

test("of anything else it is not known", () => {
  expect(pictureSize(bytes("0000001c66747970617669660000000061766966"))).toBeUndefined();
  expect(pictureSize(new Uint8Array(100).fill(0xff))).toBeUndefined();
});
