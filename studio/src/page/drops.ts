/** Files that are dragged into the window. */

import { element } from "../view/element.ts";

/** point: where it was dropped, CSS pixels from the upper left of the window. */
export type OnDrop = (file: File, point: { x: number; y: number }) => void;

/** Takes files that are dropped anywhere. Returns what shows meanwhile that they may be. */
export function takeDrops(ondrop: OnDrop): HTMLElement {
  const sign = element(
    "div",
    { class: "drop-sign", "aria-hidden": "true" },
    element("p", {}, "A video or a picture to look at, a .glb or .vrm to wear"),
  );
  let depth = 0; // of nested elements that the pointer is over
  const show = (shown: boolean) => sign.classList.toggle("shown", shown);
  const hasFiles = (event: DragEvent) => !!event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (hasFiles(event)) show(++depth > 0);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show(depth > 0);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener(
    "drop",
    () => {
      depth = 0;
      show(false);
    },
    { capture: true },
  );
  addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (event.defaultPrevented || !file) return;
    event.preventDefault();
    ondrop(file, { x: event.clientX, y: event.clientY });
  });
  return sign;
}

/** Has the reader choose a file. accept: as the attribute of an input. */
export function chooseFile(accept: string, take: (file: File) => void): void {
  const input = element("input", { type: "file", accept });
  input.onchange = () => {
    const file = input.files?.[0];
    if (file) take(file);
  };
  input.click();
}
