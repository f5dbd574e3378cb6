/** Small .glb files, made in code. */

export interface GlbOptions {
  /** Names of the morph targets, each of which moves one of the triangle's corners. */
  targets?: string[];
  /** What the file tells as their names, where that is something else. */
  names?: string[];
  /** Whether the names stand beside the primitive, in place of the mesh. */
  besidePrimitive?: boolean;
  /** 72 bytes: positions of the corners, and moves of one target. */
  binary?: Uint8Array;
  /** Nodes from the root down, each the child of the one before; the last has the mesh. */
  nodes?: string[];
  /** What is merged into the document. */
  document?: Record<string, unknown>;
  version?: number;
}

/** The bytes of a triangle with these corners, the third of which a target moves by (0, 0.01, 0.02). */
export function triangle(corners: readonly number[] = [-0.1, 0, 0, 0.1, 0, 0, 0, 0.3, 0.05]): Uint8Array {
  return new Uint8Array(new Float32Array([...corners, 0, 0, 0, 0, 0, 0, 0, 0.01, 0.02]).buffer);
}

/** A file of one triangle. */
export function glb({
  targets = [],
  names = targets,
  besidePrimitive = false,
  binary = triangle(),
  nodes = ["face"],
  document = {},
  version = 2,
}: GlbOptions = {}): ArrayBuffer {
  const accessor = (bufferView: number) => ({
    bufferView,
    componentType: 5126,
    count: 3,
    type: "VEC3",
    min: [-1, -1, -1],
    max: [1, 1, 1],
  });
  const json = {
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: nodes.map((name, i) => (i === nodes.length - 1 ? { name, mesh: 0 } : { name, children: [i + 1] })),
    meshes: [
      {
        primitives: [
          {
            attributes: { POSITION: 0 },
            ...(targets.length > 0 && { targets: targets.map(() => ({ POSITION: 1 })) }),
            ...(besidePrimitive && { extras: { targetNames: names } }),
          },
        ],
        ...(!besidePrimitive && { extras: { targetNames: names } }),
      },
    ],
    accessors: [accessor(0), accessor(1)],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: 36 },
      { buffer: 0, byteOffset: 36, byteLength: 36 },
    ],
    buffers: [{ byteLength: 72 }],
    ...document,
  };
  return written(json, binary, version);
}

/** A file whose document is changed. */
// biome-ignore lint/suspicious/noExplicitAny: the document is as loose as JSON
export function edited(file: ArrayBuffer, change: (document: any) => void): ArrayBuffer {
  const length = new DataView(file).getUint32(12, true);
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 20, length)));
  change(json);
  return written(json, new Uint8Array(file, 28 + length), 2);
}

function written(json: unknown, binary: Uint8Array, version: number): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 4) * 4;
  const bytes = new Uint8Array(28 + padded + binary.length).fill(0x20);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x46546c67, true);
  view.setUint32(4, version, true);
  view.setUint32(8, bytes.length, true);
  view.setUint32(12, padded, true);
  view.setUint32(16, 0x4e4f534a, true);
  bytes.set(text, 20);
  view.setUint32(20 + padded, binary.length, true);
  view.setUint32(24 + padded, 0x004e4942, true);
  bytes.set(binary, 28 + padded);
  return bytes.buffer;
}
