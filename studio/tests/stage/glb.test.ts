import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CHARACTERS } from "../../src/people/characters.ts";
import { checkSize, isVrm, LARGEST_FILE, readGlb } from "../../src/stage/glb.ts";
import { CharacterError } from "../../src/stage/stage.ts";
import { glb } from "./glb-file.ts";

const targets = ["jawOpen"];

test("a file with ARKit's names is taken", () => {
  expect(isVrm(readGlb(glb({ targets })))).toBe(false);
  expect(isVrm(readGlb(glb({ document: { extensions: { VRM: {} } } })))).toBe(true);
  expect(isVrm(readGlb(glb({ document: { extensions: { VRMC_vrm: { specVersion: "1.0" } } } })))).toBe(true);
});

test.each(CHARACTERS)("%s, which comes with the page, is taken", (name) => {
  const bytes = readFileSync(new URL(`../../characters/${name}.glb`, import.meta.url));
  expect(isVrm(readGlb(new Uint8Array(bytes).buffer))).toBe(false);
});

const text = (string: string) => new TextEncoder().encode(string).buffer as ArrayBuffer;
const many = { componentType: 5126, type: "VEC3", count: 4e9 };

/** A file with another description behind its bytes, which is the one that the loader would read. */
function describedTwice(): ArrayBuffer {
  const file = new Uint8Array(glb({ targets, binary: new Uint8Array(84) }));
  const view = new DataView(file.buffer);
  view.setUint32(file.length - 92, 72, true); // the bytes end here
  view.setUint32(file.length - 12, 4, true);
  view.setUint32(file.length - 8, 0x4e4f534a, true);
  return file.buffer;
}

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
  [
    "compressed, though it need not be read so",
    glb({ targets, document: { extensionsUsed: ["KHR_draco_mesh_compression"] } }),
    /KHR_draco_mesh_compression; export it without compression/,
  ],
  [
    "compressed by meshopt",
    glb({ targets, document: { extensionsRequired: ["EXT_meshopt_compression"] } }),
    /EXT_meshopt_compression; export it without compression/,
  ],
  [
    "with compressed textures",
    glb({ targets, document: { extensionsRequired: ["KHR_texture_basisu"] } }),
    /KHR_texture_basisu; export it without compression/,
  ],
  [
    "with fewer names than targets",
    glb({ targets: ["jawOpen", "cheekPuff"], names: ["jawOpen"] }),
    /no names, or not as many/,
  ],
  ["of unknown extensions", glb({ targets, document: { extensionsRequired: ["ACME_shape"] } }), /ACME_shape/],
  ["that unpacks to 48 GB", glb({ targets, document: { accessors: [many, many] } }), /more vertices/],
  ["whose sizes are none", glb({ targets, document: { accessors: [{ ...many, count: "x" }] } }), /cannot be read/],
  [
    "with a size below zero",
    glb({ targets, document: { accessors: [many, { ...many, count: -4e9 }] } }),
    /cannot be read/,
  ],
  [
    "that shows a mesh too often",
    glb({ targets, document: { nodes: Array(2001).fill({ mesh: 0 }) } }),
    /more vertices/,
  ],
  [
    "that moves the same vertices too often",
    glb({
      targets,
      document: {
        accessors: [{ ...many, count: 1e6 }],
        meshes: [{ primitives: [{ attributes: { POSITION: 0 }, targets: Array(200).fill({ POSITION: 0 }) }] }],
      },
    }),
    /more vertices, triangles, blend shapes or joints/,
  ],
  [
    "that moves vertices too often of which few are shown",
    glb({
      targets: ["jawOpen", ...Array(19_999).fill("other")],
      document: {
        accessors: [
          { ...many, count: 4e6 },
          { ...many, count: 4e6 },
          { ...many, type: "SCALAR", count: 3 },
        ],
        meshes: [
          {
            primitives: [{ attributes: { POSITION: 0 }, indices: 2, targets: Array(20_000).fill({ POSITION: 1 }) }],
          },
        ],
      },
    }),
    /more vertices, triangles, blend shapes or joints/,
  ],
  [
    "whose bytes are copied too often",
    glb({ targets, document: { bufferViews: Array(51).fill({ buffer: 0, byteLength: 10e6 }) } }),
    /more vertices/,
  ],
  [
    "of 10,001 nodes",
    glb({ targets, document: { nodes: Array(10_001).fill({}) } }),
    /10,001 nodes; 10,000 are the most/,
  ],
  ["of 100,000 scenes", glb({ targets, document: { scenes: Array(100_000).fill({}) } }), /100,000 scenes; 10,000 are/],
  [
    "that has the same nodes in too many scenes",
    glb({ targets, document: { scenes: Array(200).fill({ nodes: Array(100).fill(0) }) } }),
    /20,000 nodes in scenes/,
  ],
  [
    "with too many joints",
    glb({
      targets,
      document: { nodes: Array(300).fill({ mesh: 0, skin: 0 }), skins: [{ joints: Array(1000).fill(0) }] },
    }),
    /blend shapes or joints/,
  ],
  [
    "with a target of more vertices than there are",
    glb({
      targets,
      document: {
        accessors: [
          { ...many, count: 3 },
          { ...many, count: 4e6 },
        ],
      },
    }),
    /cannot be read/,
  ],
  ["with a second description", describedTwice(), /cannot be read/],
  [
    "with a node below itself",
    glb({ targets, document: { nodes: [{ children: [1] }, { children: [0] }] } }),
    /cannot be read/,
  ],
  ["with a node that is its own child", glb({ targets, document: { nodes: [{ children: [0] }] } }), /cannot be read/],
  [
    "with a node below two",
    glb({ targets, document: { nodes: [{ children: [2] }, { children: [2] }, {}] } }),
    /cannot be read/,
  ],
  ["that is no document", glb({ targets, document: { buffers: 5, meshes: "none" } }), /cannot be read/],
])("a file %s is refused in words", (_, bytes, message) => {
  expect(() => readGlb(bytes)).toThrow(CharacterError);
  expect(() => readGlb(bytes)).toThrow(message);
});

/** A file with a picture that says it is as wide and as high. document: what is else in it. */
function pictured(width: number, document: Record<string, unknown> = {}): ArrayBuffer {
  const binary = new Uint8Array(72);
  const view = new DataView(binary.buffer);
  view.setUint32(0, 0x89504e47); // a PNG file begins
  view.setUint32(16, width);
  view.setUint32(20, width);
  return glb({ targets, binary, document: { images: [{ bufferView: 0, mimeType: "image/png" }], ...document } });
}

test("a file whose pictures are too large when they are unpacked is refused in words", () => {
  expect(() => readGlb(pictured(30_000))).toThrow("pictures have 900 million pixels; 300 million are the most");
  expect(() => readGlb(pictured(4096))).not.toThrow();
});

test.each<[string, Record<string, unknown>]>([
  ["written as text", { images: [{ uri: "data:image/png;base64,iVBORw0KGgo=" }] }],
  ["in another buffer", { bufferViews: [{ buffer: 1, byteLength: 36 }, { buffer: 0 }], buffers: [{}, {}] }],
  ["in a buffer written as text", { buffers: [{ uri: "data:application/octet-stream;base64,AAAA" }] }],
  ["beyond the file's end", { bufferViews: [{ buffer: 0, byteOffset: 1e6, byteLength: 36 }, { buffer: 0 }] }],
  ["nowhere", { images: [{ bufferView: 7 }] }],
])("a picture %s, whose size is not known, is refused in words", (_, document) => {
  expect(() => readGlb(pictured(4096, document))).toThrow(/no PNG, JPEG or WebP file inside the \.glb/);
});

test("a picture of another kind is refused by its name", () => {
  const binary = new Uint8Array(72);
  binary.set(new TextEncoder().encode("GIF89a"));
  const file = glb({ targets, binary, document: { images: [{ bufferView: 0, mimeType: "image/gif" }] } });
  expect(() => readGlb(file)).toThrow(/pictures \(image\/gif\) is no PNG, JPEG or WebP/);
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
