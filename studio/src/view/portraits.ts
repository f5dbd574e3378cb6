/** Small portraits of the characters, drawn in lines as the icons are. */

import type { CharacterName } from "../people/characters.ts";
import { drawing } from "./element.ts";

const PORTRAITS: Readonly<Record<CharacterName | "file", readonly string[]>> = {
  human: [
    "M7 10.5C7 6.5 9 4 12 4s5 2.5 5 6.5c0 4.5-2.2 9-5 9s-5-4.5-5-9z",
    "M7.2 9c2.3.3 4.3-.7 5.3-2.3 1 1.6 2.6 2.3 4.3 2.3",
    "M9.8 11.8v.4M14.2 11.8v.4",
    "M10.3 15.8c1 .8 2.4.8 3.4 0",
  ],
  goblin: [
    "M7.5 11C7.5 7 9.3 5 12 5s4.5 2 4.5 6-1.7 8.5-4.5 8.5S7.5 15 7.5 11z",
    "M7.6 9.5L2.5 7.5c.6 3 2.4 5 5.2 5.7M16.4 9.5l5.1-2c-.6 3-2.4 5-5.2 5.7",
    "M9.3 10.5l1.7.9M14.7 10.5l-1.7.9",
    "M9.6 15.3h4.8M10.8 15.3v1M13.2 15.3v1",
  ],
  cat: [
    "M5.5 13V5l4 3c1.6-.4 3.4-.4 5 0l4-3v8c0 3.7-2.8 6.5-6.5 6.5S5.5 16.7 5.5 13z",
    "M9.3 11.8v1M14.7 11.8v1",
    "M11.3 15h1.4l-.7.8zM12 15.8c-.6 1-1.6 1.2-2.3.7M12 15.8c.6 1 1.6 1.2 2.3.7",
    "M3 14.3l3 .4M3.3 17l2.8-.8M21 14.3l-3 .4M20.7 17l-2.8-.8",
  ],
  alien: [
    "M5.5 9.8C5.5 6 8.3 3.8 12 3.8s6.5 2.2 6.5 6c0 4.6-3.6 9.9-6.5 9.9s-6.5-5.3-6.5-9.9z",
    "M7.8 10.3c1.9-.2 3.1.9 3.2 2.9-2 .1-3.2-.9-3.2-2.9zM16.2 10.3c-1.9-.2-3.1.9-3.2 2.9 2 .1 3.2-.9 3.2-2.9z",
    "M11 16.7h2",
  ],
  robot: [
    "M7 7.5h10A1.5 1.5 0 0 1 18.5 9v8a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 17V9A1.5 1.5 0 0 1 7 7.5z",
    "M12 7.5V4.5M12 4.5h.01M3.5 11.5v3M20.5 11.5v3",
    "M9.3 11a1 1 0 1 0 .01 0zM14.7 11a1 1 0 1 0 .01 0z",
    "M9 15.7h6",
  ],
  file: ["M12 3.5l7.5 4.2v8.6L12 20.5l-7.5-4.2V7.7z", "M4.5 7.7L12 12l7.5-4.3M12 12v8.5"],
};

export function portrait(name: CharacterName | "file"): SVGSVGElement {
  return drawing(PORTRAITS[name], "portrait");
}
