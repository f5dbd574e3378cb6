/** What a file that is dragged in or chosen may be used as. */

export type FileKind = "character" | "video" | "picture";

const EXTENSIONS: Readonly<Record<string, FileKind>> = {
  glb: "character",
  vrm: "character",
  mp4: "video",
  m4v: "video",
  mov: "video",
  webm: "video",
  mkv: "video",
  avi: "video",
  ogv: "video",
  jpg: "picture",
  jpeg: "picture",
  png: "picture",
  webp: "picture",
  avif: "picture",
  gif: "picture",
  bmp: "picture",
};

/** By its media type, else by the end of its name; undefined where it is of no use here. */
export function fileKind({ name, type }: { name: string; type: string }): FileKind | undefined {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const kind = EXTENSIONS[extension];
  if (kind) return kind;
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("image/") && type !== "image/svg+xml") return "picture";
  return type === "model/gltf-binary" ? "character" : undefined;
}
