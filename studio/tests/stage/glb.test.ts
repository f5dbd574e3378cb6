import { expect, test } from "vitest";
import { checkSize, isVrm, LARGEST_FILE, readGlb } from "../../src/stage/glb.ts";
import { CharacterError } from "../../src/stage/stage.ts";
import { glb } from "./glb-file.ts";

const targets = ["jawOpen"];

test("a file with ARKit's names is taken", () => {
  expect(isVrm(readGlb(glb({ targets })))).toBe(false);
  expect(isVrm(readGlb(glb({ document: { extensions: { VRM: {} } } })))).toBe(true);
  expect(isVrm(readGlb(glb({ document: { extensions: { VRMC_vrm: { specVersion: "1.0" } } } })))).toBe(true);
});

const text = (string: string) => new TextEncoder().encode(string).buffer as ArrayBuffer;
const many = { componentType: 5126, type: "VEC3", count: 4e9 };

test.each<[string, ArrayBuffer, RegExp]>([
  ["too large", new ArrayBuffer(LARGEST_FILE + 1), /100 MB/],
  ["empty", new ArrayBuffer(0), /no binary glTF/],
  ["a picture", text("\x89PNG and more bytes of a picture"), /no binary glTF/],
  ["a .gltf", text('{"asset": {"version": "2.0"}, "nodes": []}'), /exported again as \.glb/],
  ["glTF 1.0", glb({ targets, version: 1 }), /glTF 1; export/],
  ["cut off", glb({ targets }).slice(0, 60), /ends too early/],
  ["without morph targets", glb(), /no blend shapes/],
  ["with other names", glb({ targets: ["Key 1", "Key 2"] }), /2 blend shapes have other names/],
  [
    "with buffers elsewhere",
    glb({ targets, document: { buffers: [{ byteLength: 72, uri: "https://example.com/a.bin" }] } }),
    /refers to other files/,
  ],
  [
    "with pictures elsewhere",
    glb({ targets, document: { images: [{ uri: "../skin.png" }] } }),
    /refers to other files/,
  ],
  [
    "compressed",
    glb({ targets, document: { extensionsRequired: ["KHR_draco_mesh_compression"] } }),
    /KHR_draco_mesh_compression; export it without compression/,
  ],
  ["of unknown extensions", glb({ targets, document: { extensionsRequired: ["ACME_shape"] } }), /ACME_shape/],
  ["that unpacks to 48 GB", glb({ targets, document: { accessors: [many, many] } }), /more vertices/],
  ["of negative size", glb({ targets, document: { accessors: [{ ...many, count: "x" }] } }), /more vertices/],
  ["that is no document", glb({ targets, document: { buffers: 5, meshes: "none" } }), /cannot be read/],
])("a file %s is refused in words", (_, bytes, message) => {
  expect(() => readGlb(bytes)).toThrow(CharacterError);
  expect(() => readGlb(bytes)).toThrow(message);
});

test("broken files never fail in another way", () => {
  const whole = new Uint8Array(glb({ targets }));
  for (let i = 0; i < whole.length; i += 3) {
    const broken = whole.slice();
    broken[i] = (broken[i] ?? 0) ^ 0x55;
    try {
      readGlb(broken.buffer);
    } catch (error) {
      expect(error).toBeInstanceOf(CharacterError);
    }
  }
});

test("a file that is too large is told its own size", () => {
  expect(() => checkSize(200e6)).toThrow("The file has 200 MB; 100 MB are the most.");
  expect(() => checkSize(LARGEST_FILE)).not.toThrow();
});
