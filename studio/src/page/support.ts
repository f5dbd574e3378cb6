/** What the page needs of a browser. */

/** What this browser lacks, in words; empty where it has all. */
export function missingFeatures(scope: typeof globalThis = globalThis): string[] {
  const needed: [string, () => boolean][] = [
    ["WebGL 2", () => !!scope.document.createElement("canvas").getContext("webgl2")],
    ["WebSocket", () => typeof scope.WebSocket === "function"],
    ["OffscreenCanvas", () => typeof scope.OffscreenCanvas?.prototype.convertToBlob === "function"],
    ["Worker", () => typeof scope.Worker === "function"],
    ["popover", () => "popover" in scope.HTMLElement.prototype],
  ];
  return needed.filter(([, has]) => !attempt(has)).map(([name]) => name);
}

function attempt(has: () => boolean): boolean {
  try {
    return has();
  } catch {
    return false;
  }
}
