import { describe, expect, test } from "vitest";
import { withDuration } from "../../src/recording/webm-duration.ts";

// Elements of EBML, written by hand: the id, the size with the bit that tells its length, the content.
const HEAD = [0x1a, 0x45, 0xdf, 0xa3, 0x84, 0x42, 0x86, 0x81, 0x01];
const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const UNKNOWN = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const SCALE = [0x2a, 0xd7, 0xb1, 0x83, 0x0f, 0x42, 0x40]; // 1,000,000 nanoseconds
const WRITER = [0x57, 0x41, 0x82, 0x61, 0x62];
const REST = [0x16, 0x54, 0xae, 0x6b, 0x80, 1, 2, 3];
const INFO = [0x15, 0x49, 0xa9, 0x66];
const DURATION = [0x44, 0x89, 0x88, 0x40, 0x8f, 0x40, 0, 0, 0, 0, 0]; // 1000 as a double: 0x408f400000000000

const info = (content: number[]) => [...INFO, 0x80 + content.length, ...content];
const file = (...parts: number[][]) => new Blob([new Uint8Array(parts.flat())], { type: "video/webm" });
const bytes = async (blob: Blob) => [...new Uint8Array(await blob.arrayBuffer())];

test("a recording gets its duration, and all else stays", async () => {
  const recorded = file(HEAD, SEGMENT, UNKNOWN, info([...SCALE, ...WRITER]), REST);
  const told = await withDuration(recorded, 1000);
  expect(told.type).toBe("video/webm");
  const size = SCALE.length + WRITER.length + DURATION.length;
  const longer = [...INFO, 0x01, 0, 0, 0, 0, 0, 0, size, ...SCALE, ...WRITER, ...DURATION];
  expect(await bytes(told)).toEqual([...HEAD, ...SEGMENT, ...UNKNOWN, ...longer, ...REST]);
  expect(await bytes(await withDuration(told, 2000))).toEqual(await bytes(told)); // once
});

describe("a file is left as it is", () => {
  test.each([
    ["that is empty", file()],
    ["that is no WebM", file([0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70])],
    ["that ends too early", file(HEAD, SEGMENT, UNKNOWN, info([...SCALE, ...WRITER]).slice(0, 8))],
    ["of zeros", file(Array(5000).fill(0))],
    ["whose segment has a size", file(HEAD, SEGMENT, [0x93], info(SCALE), REST)],
    ["whose information has none", file(HEAD, SEGMENT, UNKNOWN, INFO, [0xff], SCALE, REST)],
    ["with a table of places", file(HEAD, SEGMENT, UNKNOWN, [0x11, 0x4d, 0x9b, 0x74, 0x80], info(SCALE), REST)],
    ["of another unit of time", file(HEAD, SEGMENT, UNKNOWN, info([0x2a, 0xd7, 0xb1, 0x81, 1]), REST)],
  ])("%s", async (_, recorded) => {
    expect(await withDuration(recorded, 1000)).toBe(recorded);
  });
});
