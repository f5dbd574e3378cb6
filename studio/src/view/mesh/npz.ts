/** Reads NumPy's .npz files: zip archives of arrays. */

/** An array of numbers and its shape. */
export interface NumberArray {
  shape: number[];
  data: Float32Array | Int32Array;
}

/** Bytes that the arrays may have together. */
const MAX_BYTES = 64e6;

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** The arrays of numbers (float32, float16, int32) of an archive, by name; those asked for only. Rejects with Error
 * where it is no such archive, or an array is missing. */
export async function readNpz(buffer: ArrayBuffer, names: readonly string[]): Promise<Record<string, NumberArray>> {
  const view = new DataView(buffer);
  const arrays: Record<string, NumberArray> = {};
  for (const { name, method, start, packed, size } of entries(view)) {
    const array = name.replace(/\.npy$/, "");
    if (!names.includes(array)) continue;
    if (size > MAX_BYTES) throw new Error(`${array} has ${size} bytes; expected ${MAX_BYTES} at most.`);
    const bytes = new Uint8Array(buffer, start, packed);
    arrays[array] = readNpy(method === 0 ? bytes.slice().buffer : await inflate(bytes));
  }
  const missing = names.filter((name) => !arrays[name]);
  if (missing.length) throw new Error(`The archive lacks ${missing.join(", ")}.`);
  return arrays;
}

interface Entry {
  name: string;
  method: number;
  start: number;
  packed: number;
  size: number;
}

/** The files of a zip archive, by its directory, which is at its end. */
function entries(view: DataView): Entry[] {
  let end = view.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error("This is no zip archive.");
  const found: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== DIRECTORY_ENTRY) throw new Error("The archive's directory is damaged.");
    const nameLength = view.getUint16(at + 28, true);
    const header = view.getUint32(at + 42, true);
    found.push({
      name: new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength)),
      method: view.getUint16(at + 10, true),
      start: header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

/** An array as NumPy writes it, format 1.0, little-endian, in C's order. */
function readNpy(buffer: ArrayBuffer): NumberArray {
  const headerLength = new DataView(buffer).getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(buffer, 10, headerLength));
  const type = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((part) => part.trim())
    .map(Number);
  const start = 10 + headerLength;
  if (type === "<f4") return { shape, data: new Float32Array(buffer, start) };
  if (type === "<i4") return { shape, data: new Int32Array(buffer, start) };
  if (type === "<f2") return { shape, data: Float32Array.from(new Uint16Array(buffer, start), halfToNumber) };
  throw new Error(`An array is of type ${type}; expected <f4, <f2 or <i4.`);
}

/** The number of a half-precision float's 16 bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
