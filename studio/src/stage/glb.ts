/** Checks of a .glb or .vrm file before it is loaded, so that what is wrong with it can be said in a sentence. */

import { weightOfTarget } from "./arkit.ts";
import { CharacterError } from "./stage.ts";

export const LARGEST_FILE = 100e6; // bytes
const LARGEST_UNPACKED = 1e9; // bytes of all accessors
const LARGEST_VERTICES = 1e6;

const MAGIC = 0x46546c67; // "glTF"
const JSON_CHUNK = 0x4e4f534a;
const CHUNK_BYTES = { SCALAR: 4, VEC2: 8, VEC3: 12, VEC4: 16, MAT2: 16, MAT3: 36, MAT4: 64 } as const;

// What the loader reads. Others it would leave out, which is right for those that a file does not require.
const EXTENSIONS_READ =
  /^(KHR_(mesh_quantization|texture_transform|lights_punctual|materials_\w+)|EXT_texture_(webp|avif)|EXT_mesh_gpu_instancing|VRM|VRMC_\w+)$/;
const COMPRESSIONS = /draco|meshopt|basisu/;

/** The part of a glTF document that is looked at. All of it comes from the file, and any of it may be missing. */
export interface GltfDocument {
  asset?: { version?: unknown };
  extensionsUsed?: unknown;
  extensionsRequired?: unknown;
  extensions?: { VRM?: { specVersion?: unknown; blendShapeMaster?: unknown }; VRMC_vrm?: { specVersion?: unknown } };
  accessors?: { count?: unknown; type?: unknown }[];
  buffers?: { uri?: unknown }[];
  images?: { uri?: unknown }[];
  meshes?: { extras?: { targetNames?: unknown }; primitives?: { attributes?: { POSITION?: unknown } }[] }[];
}

/** Throws CharacterError where a file is too large. size: bytes. */
export function checkSize(size: number): void {
  if (size <= LARGEST_FILE) return;
  throw new CharacterError(
    `The file has ${Math.ceil(size / 1e6)} MB; ${LARGEST_FILE / 1e6} MB are the most. ` +
      "Export it with smaller textures or fewer vertices.",
  );
}

/** Reads the document of a file and refuses what cannot become a character. Throws CharacterError. */
export function readGlb(bytes: ArrayBuffer): GltfDocument {
  checkSize(bytes.byteLength);
  const view = new DataView(bytes);
  if (bytes.byteLength < 20 || view.getUint32(0, true) !== MAGIC) {
    throw new CharacterError(
      "This is no binary glTF file. Use a .glb or .vrm file; a .gltf can be exported again as .glb.",
    );
  }
  const version = view.getUint32(4, true);
  if (version !== 2) throw new CharacterError(`The file is glTF ${version}; export it as glTF 2.0.`);
  const length = view.getUint32(12, true);
  if (view.getUint32(8, true) > bytes.byteLength || 20 + length > bytes.byteLength) {
    throw new CharacterError("The file ends too early. Export or download it again.");
  }
  let document: unknown;
  try {
    if (view.getUint32(16, true) !== JSON_CHUNK) throw new Error("no JSON");
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes, 20, length)));
    if (typeof document !== "object" || document === null) throw new Error("no document");
    refuse(document as GltfDocument);
  } catch (error) {
    if (error instanceof CharacterError) throw error;
    throw new CharacterError("The file's description of the scene cannot be read. Export it again.");
  }
  return document as GltfDocument;
}

/** Whether the document is of an avatar as VRM 0.x or 1.0 describes it. */
export function isVrm(document: GltfDocument): boolean {
  return document.extensions?.VRM !== undefined || document.extensions?.VRMC_vrm !== undefined;
}

function refuse(document: GltfDocument): void {
  for (const { uri } of [...(document.buffers ?? []), ...(document.images ?? [])]) {
    if (uri !== undefined && !(typeof uri === "string" && uri.startsWith("data:"))) {
      throw new CharacterError(
        "The file refers to other files, which are not loaded. Export it as .glb with everything inside.",
      );
    }
  }
  for (const name of (document.extensionsRequired ?? []) as string[]) {
    if (!EXTENSIONS_READ.test(name)) {
      const remedy = COMPRESSIONS.test(name) ? "without compression" : "without it";
      throw new CharacterError(`The file needs the glTF extension ${name.slice(0, 60)}; export it ${remedy}.`);
    }
  }
  let unpacked = 0;
  for (const { count, type } of document.accessors ?? []) {
    unpacked += Number(count) * (CHUNK_BYTES[type as keyof typeof CHUNK_BYTES] ?? 4);
  }
  let vertices = 0;
  for (const { primitives } of document.meshes ?? []) {
    for (const { attributes } of primitives ?? []) {
      vertices += Number(document.accessors?.[Number(attributes?.POSITION)]?.count ?? 0);
    }
  }
  if (!(unpacked <= LARGEST_UNPACKED && vertices <= LARGEST_VERTICES)) {
    throw new CharacterError(
      `The character has more vertices or blend shapes than can be shown; ${LARGEST_VERTICES / 1e6} million vertices ` +
        "are the most. Export a simpler one.",
    );
  }
  const targets = (document.meshes ?? []).flatMap((mesh) => (mesh.extras?.targetNames ?? []) as string[]);
  if (!isVrm(document) && !targets.some((name) => weightOfTarget(String(name)) !== undefined)) {
    const found = targets.length > 0 ? `its ${targets.length} blend shapes have other names` : "it has no blend shapes";
    throw new CharacterError(
      `The character's face cannot be moved: ${found}. Blend shapes with ARKit's names, such as jawOpen, are needed.`,
    );
  }
}
