/** Checks of a .glb or .vrm file before it is loaded, so that what is wrong with it can be said in a sentence. */

import { weightsOfTargets } from "./arkit.ts";
import { pictureSize } from "./picture-size.ts";
import { CharacterError } from "./stage.ts";

export const LARGEST_FILE = 100e6; // bytes
const LARGEST_UNPACKED = 500e6; // bytes of all accessors, and of all views of the file's bytes, which the loader copies
/** The most of what is shown: what several nodes show counts for each. moves: of vertices by blend shapes. joints: of
 * skeletons, of which every part of a mesh that is shown has its own. */
const MOST = { meshes: 2000, vertices: 4e6, corners: 6e6, moves: 100e6, joints: 200e3 };
const MOST_PIXELS = 300e6; // of all pictures; unpacked they take four bytes each
/** The most of each list in the document. A body with fingers and hair has some hundred nodes, a whole scene some
 * thousand. Only accessors and views of bytes come by the thousand: some for each blend shape of each mesh. */
const LONGEST = 10e3;
const LONG = ["accessors", "bufferViews"];
const DEEPEST = 500; // nodes from the root down

const MAGIC = 0x46546c67; // "glTF"
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const CHUNK_BYTES = { SCALAR: 4, VEC2: 8, VEC3: 12, VEC4: 16, MAT2: 16, MAT3: 36, MAT4: 64 } as const;

// What the loader reads. Others it would leave out, which is right for those that a file does not require.
const EXTENSIONS_READ =
  /^(KHR_(mesh_quantization|texture_transform|lights_punctual|materials_\w+)|EXT_texture_webp|VRM|VRMC_\w+)$/;
// What the loader cannot leave out, whether it is required or not.
const EXTENSIONS_REFUSED = /^(KHR_draco_mesh_compression|EXT_mesh_gpu_instancing)$/;
const COMPRESSIONS = /draco|meshopt|basisu/;

interface PrimitiveDefinition {
  attributes?: { POSITION?: unknown };
  indices?: unknown;
  targets?: { POSITION?: unknown; NORMAL?: unknown }[];
  extras?: { targetNames?: unknown };
}

interface MeshDefinition {
  extras?: { targetNames?: unknown };
  primitives?: PrimitiveDefinition[];
}

/** The part of a glTF document that is looked at. All of it comes from the file, and any of it may be missing. */
export interface GltfDocument {
  asset?: { version?: unknown };
  extensionsUsed?: unknown;
  extensionsRequired?: unknown;
  extensions?: { VRM?: { specVersion?: unknown; blendShapeMaster?: unknown }; VRMC_vrm?: { specVersion?: unknown } };
  accessors?: { count?: unknown; type?: unknown; min?: unknown; max?: unknown }[];
  buffers?: { uri?: unknown }[];
  bufferViews?: { buffer?: unknown; byteOffset?: unknown; byteLength?: unknown }[];
  images?: { uri?: unknown; bufferView?: unknown; mimeType?: unknown }[];
  meshes?: MeshDefinition[];
  nodes?: { mesh?: unknown; skin?: unknown; children?: unknown }[];
  scenes?: { nodes?: unknown[] }[];
  skins?: { joints?: unknown[] }[];
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
  if (view.getUint32(8, true) > bytes.byteLength || 20 + view.getUint32(12, true) > bytes.byteLength) {
    throw new CharacterError("The file ends too early. Export or download it again.");
  }
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(chunkOf(view, JSON_CHUNK)));
    if (typeof document !== "object" || document === null) throw new Error("no document");
    refuse(document as GltfDocument);
    refusePictures(document as GltfDocument, chunkOf(view, BINARY_CHUNK));
  } catch (error) {
    if (error instanceof CharacterError) throw error;
    throw new CharacterError("The file's description of the scene cannot be read. Export it again.");
  }
  return document as GltfDocument;
}

/** The bytes of a file's one chunk of a type; none where it has none. Of two the loader would take the last. */
function chunkOf(file: DataView, type: number): Uint8Array {
  let found: Uint8Array | undefined;
  for (let at = 12; at < file.getUint32(8, true); at += 8 + file.getUint32(at, true)) {
    if (file.getUint32(at + 4, true) !== type) continue;
    if (found) throw new Error("two chunks of a type");
    found = new Uint8Array(file.buffer, at + 8, file.getUint32(at, true));
  }
  return found ?? new Uint8Array();
}

/** Whether the document is of an avatar as VRM 0.x or 1.0 describes it. */
export function isVrm(document: GltfDocument): boolean {
  return document.extensions?.VRM !== undefined || document.extensions?.VRMC_vrm !== undefined;
}

/** Puts the names of blend shapes where the loader looks for them: some programs write them beside each primitive. */
export function nameTargets({ meshes = [] }: GltfDocument): void {
  for (const mesh of meshes) {
    const targetNames = mesh.primitives?.find(({ extras }) => extras?.targetNames)?.extras?.targetNames;
    if (targetNames && !mesh.extras?.targetNames) mesh.extras = { ...mesh.extras, targetNames };
  }
}

/** Throws CharacterError where a document cannot become a character, and anything where it is not as glTF has it. */
function refuse(document: GltfDocument): void {
  refuseOtherFiles(document);
  refuseExtensions(document);
  refuseLongLists(document);
  refuseLostTargets(document);
  refuseLoops(document);
  refuseTooMuch(document);
  if (!isVrm(document)) refuseStiff(document);
}

function refuseOtherFiles({ buffers = [], images = [] }: GltfDocument): void {
  for (const { uri } of [...buffers, ...images]) {
    if (uri === undefined || (typeof uri === "string" && uri.startsWith("data:"))) continue;
    throw new CharacterError(
      "The file refers to other files, which are not loaded. Export it as .glb with everything inside.",
    );
  }
}

function refuseExtensions({ extensionsRequired = [], extensionsUsed = [] }: GltfDocument): void {
  const refused = [
    ...(extensionsRequired as string[]).filter((name) => !EXTENSIONS_READ.test(name)),
    ...(extensionsUsed as string[]).filter((name) => EXTENSIONS_REFUSED.test(name)),
  ];
  for (const name of refused) {
    const remedy = COMPRESSIONS.test(name) ? "without compression" : "without it";
    throw new CharacterError(`The file needs the glTF extension ${name.slice(0, 60)}; export it ${remedy}.`);
  }
}

/** The loader makes something of each entry, whether it is shown or not. */
function refuseLongLists(document: GltfDocument): void {
  const rooted = document.scenes?.flatMap(({ nodes = [] }) => nodes) ?? [];
  for (const [name, list] of [...Object.entries(document), ["nodes in scenes", rooted] as const]) {
    if (!Array.isArray(list) || list.length <= LONGEST || LONG.includes(name)) continue;
    throw new CharacterError(
      `The file has ${digits(list.length)} ${name.slice(0, 60)}; ${digits(LONGEST)} are the most. ` +
        "Export the character alone.",
    );
  }
}

/** Positions that are not there, or whose bounds are none, would have the loader stop in the middle, and what it has begun
 * by then fail with nobody waiting for it. A target of more vertices than there are would be walked over to its end. */
function refuseLostTargets({ accessors = [], meshes = [] }: GltfDocument): void {
  for (const { attributes = {}, targets = [] } of meshes.flatMap(({ primitives = [] }) => primitives)) {
    const base = accessors[attributes.POSITION as number];
    for (const index of [attributes.POSITION, ...targets.flatMap(({ POSITION, NORMAL }) => [POSITION, NORMAL])]) {
      if (index === undefined) continue;
      const accessor = typeof index === "number" ? accessors[index] : undefined;
      if (accessor?.count !== base?.count || !accessor || accessor.min === null || accessor.max === null)
        throw new Error("positions that are lost, or too many");
    }
  }
}

/** A node that is under itself would have the loader wait for ever. */
function refuseLoops({ nodes = [] }: GltfDocument): void {
  const parents = new Map<unknown, number>();
  for (const [node, { children = [] }] of nodes.entries()) {
    for (const child of children as unknown[]) {
      if (parents.has(child)) throw new Error("a node with two parents");
      parents.set(child, node);
    }
  }
  for (const node of nodes.keys()) {
    let [at, depth]: [number | undefined, number] = [node, 0];
    while (at !== undefined) {
      if (++depth > DEEPEST) throw new Error("nodes in a loop, or too many below each other");
      at = parents.get(at);
    }
  }
}

function refuseTooMuch(document: GltfDocument): void {
  const { accessors = [], bufferViews = [], meshes = [], nodes = [], skins = [] } = document;
  const counts = accessors.map(({ count }) => amountOf(count));
  const bytes = accessors.map(({ type }, i) => (counts[i] ?? 0) * (CHUNK_BYTES[type as keyof typeof CHUNK_BYTES] ?? 4));
  const copied = bufferViews.map(({ byteLength = 0 }) => amountOf(byteLength));
  // An avatar's vertices that no triangle has are left out before its blend shapes are looked at.
  const spares = isVrm(document);
  const amounts = meshes.map(({ primitives = [] }) => {
    const amount = { meshes: 0, vertices: 0, corners: 0, moves: 0 };
    for (const { attributes, indices, targets = [] } of primitives) {
      const vertices = counts[Number(attributes?.POSITION)] ?? 0;
      const corners = indices === undefined ? vertices : (counts[Number(indices)] ?? 0);
      amount.meshes++;
      amount.vertices += vertices;
      amount.corners += corners;
      amount.moves += targets.length * (spares ? Math.min(vertices, corners) : vertices);
    }
    return amount;
  });
  const shown = nodes.flatMap(({ mesh, skin }) => {
    const amount = mesh === undefined ? undefined : amounts[Number(mesh)];
    return amount ? [{ ...amount, joints: amount.meshes * (skins[Number(skin)]?.joints?.length ?? 0) }] : [];
  });
  const names = Object.keys(MOST) as (keyof typeof MOST)[];
  const fits = names.every((name) => sum(shown.map((amount) => amount[name])) <= MOST[name]);
  if (fits && sum(bytes) <= LARGEST_UNPACKED && sum(copied) <= LARGEST_UNPACKED) return;
  throw new CharacterError(
    "The character has more vertices, triangles, blend shapes or joints than can be shown: " +
      `${MOST.corners / 3e6} million triangles are the most. Export a simpler one.`,
  );
}

function amountOf(value: unknown): number {
  const amount = Number(value);
  if (!Number.isSafeInteger(amount) || amount < 0) throw new Error("an amount that is none");
  return amount;
}

function digits(amount: number): string {
  return amount.toLocaleString("en");
}

function sum(amounts: number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

/** binary: the file's chunk of bytes. */
function refusePictures({ images = [], buffers = [], bufferViews = [] }: GltfDocument, binary: Uint8Array): void {
  const sizes = images.map(({ uri, bufferView, mimeType }) => {
    const view = bufferViews[Number(bufferView)];
    const inside = bufferView !== undefined && view?.buffer === 0 && buffers[0]?.uri === undefined;
    const start = Number(view?.byteOffset ?? 0);
    const size =
      uri === undefined && inside ? pictureSize(binary.subarray(start, start + Number(view.byteLength))) : undefined;
    if (size) return size.width * size.height;
    const kind = typeof mimeType === "string" ? ` (${mimeType.slice(0, 60)})` : "";
    throw new CharacterError(
      `One of the character's pictures${kind} is no PNG, JPEG or WebP file inside the .glb, or it is damaged. Export ` +
        "it as .glb with PNG or JPEG textures inside.",
    );
  });
  const pixels = sum(sizes);
  if (pixels <= MOST_PIXELS) return;
  throw new CharacterError(
    `The character's pictures have ${Math.ceil(pixels / 1e6)} million pixels; ${MOST_PIXELS / 1e6} million are the ` +
      "most. Export it with smaller textures.",
  );
}

/** Without ARKit's names nothing tells which blend shape does what. */
function refuseStiff(document: GltfDocument): void {
  nameTargets(document);
  const targetsOf = ({ primitives = [] }: MeshDefinition) => primitives[0]?.targets?.length ?? 0;
  const meshes = document.meshes ?? [];
  const names = meshes.flatMap((mesh) => {
    const { targetNames = [] } = mesh.extras ?? {};
    return Array.isArray(targetNames) && targetNames.length === targetsOf(mesh) ? targetNames.map(String) : [];
  });
  if (weightsOfTargets(names).some((weight) => weight !== undefined)) return;
  const targets = meshes.reduce((sum, mesh) => sum + targetsOf(mesh), 0);
  let found = `its ${targets} blend shapes have ${names.length > 0 ? "other names" : "no names, or not as many"}`;
  if (targets === 0) found = "it has no blend shapes";
  throw new CharacterError(
    `The character's face cannot be moved: ${found}. Blend shapes with ARKit's names, such as jawOpen, are needed.`,
  );
}
