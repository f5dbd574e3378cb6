/** The duration of a WebM file, which browsers that record one leave out, since they write its beginning first. */

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMECODE_SCALE = 0x2ad7b1;
const DURATION = 0x4489;

const MILLISECOND = 1e6; // nanoseconds: the unit of times that all browsers write
const BEGINNING = 4096; // bytes within which the segment's information lies

/** An element: an id, the size of its content, the content. size: undefined where it is not known. */
interface Element {
  id: number;
  content: number; // where it begins, bytes
  size: number | undefined;
}

/** The file with its duration, milliseconds; the file as it is where it tells one, or is not as browsers write it. */
export async function withDuration(file: Blob, milliseconds: number): Promise<Blob> {
  const view = new DataView(await file.slice(0, BEGINNING).arrayBuffer());
  try {
    const head = elementAt(view, 0);
    const segment = elementAt(view, head.content + (head.size ?? 0));
    const info = elementAt(view, segment.content);
    // A segment of known size, or a table of places before its information, would have to be changed, too.
    if (head.id !== EBML || segment.id !== SEGMENT || segment.size !== undefined) return file;
    if (info.id !== INFO || info.size === undefined) return file;
    const end = info.content + info.size;
    for (let at = info.content; at < end; ) {
      const { id, content, size } = elementAt(view, at);
      if (id === DURATION || size === undefined) return file;
      if (id === TIMECODE_SCALE && unsigned(view, content, size) !== MILLISECOND) return file;
      at = content + size;
    }
    const infoHead = new DataView(new ArrayBuffer(12)); // its size in eight bytes
    infoHead.setUint32(0, INFO);
    infoHead.setUint32(4, 0x01000000);
    infoHead.setUint32(8, info.size + 11);
    const duration = new DataView(new ArrayBuffer(11));
    duration.setUint16(0, DURATION);
    duration.setUint8(2, 0x88); // eight bytes
    duration.setFloat64(3, milliseconds);
    const [before, content, after] = [file.slice(0, segment.content), file.slice(info.content, end), file.slice(end)];
    return new Blob([before, infoHead, content, duration, after], { type: file.type });
  } catch {
    return file; // it ends too early
  }
}

/** Reads an element's id and size. Throws RangeError beyond the end. */
function elementAt(view: DataView, at: number): Element {
  const idLength = lengthAt(view, at);
  const sizeAt = at + idLength;
  const sizeLength = lengthAt(view, sizeAt);
  const largest = 2 ** (7 * sizeLength) - 1; // all bits are ones where the size is not known
  const size = unsigned(view, sizeAt, sizeLength, 0xff >> sizeLength); // without the bit that tells the length
  return {
    id: unsigned(view, at, idLength),
    content: sizeAt + sizeLength,
    size: size >= largest ? undefined : size,
  };
}

/** Bytes of a number whose length its first byte tells, by the zeros in front. */
const lengthAt = (view: DataView, at: number) => Math.clz32(view.getUint8(at)) - 23;

/** A number of some bytes. mask: the bits of the first one that count. */
function unsigned(view: DataView, at: number, length: number, mask = 0xff): number {
  let value = view.getUint8(at) & mask;
  for (let i = 1; i < length; i++) value = 256 * value + view.getUint8(at + i);
  return value;
}
