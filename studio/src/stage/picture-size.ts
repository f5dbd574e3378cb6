/** How large a picture becomes that lies packed in a file, from its first bytes. */

export interface PictureSize {
  width: number;
  height: number;
}

/** The size in pixels of a PNG, JPEG or WebP file; undefined for others, and where the bytes end before it is told. */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (view.getUint16(0) === 0xffd8) return jpegSize(view);
    if (text(view, 0) === "RIFF" && text(view, 8) === "WEBP") return webpSize(view);
  } catch {
    // beyond the end
  }
  return undefined;
}

/** A JPEG file is a row of segments: 0xff, a code, a length; one of them, SOF, begins the frame. Where something else is
 * in between, decoders differ in what they read. */
function jpegSize(view: DataView): PictureSize | undefined {
  for (let at = 2; ; ) {
    const code = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff || code < 0xc0 || (code >= 0xd0 && code <= 0xd9)) return undefined;
    const beginsFrame = code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);
    if (beginsFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += code === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

function webpSize(view: DataView): PictureSize | undefined {
  const fourteen = 0x3fff; // bits
  switch (text(view, 12)) {
    case "VP8 ":
      return { width: view.getUint16(26, true) & fourteen, height: view.getUint16(28, true) & fourteen };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: (bits & fourteen) + 1, height: ((bits >> 14) & fourteen) + 1 };
    }
    case "VP8X": {
      const three = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
      return { width: three(24) + 1, height: three(27) + 1 };
    }
    default:
      return undefined;
  }
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
