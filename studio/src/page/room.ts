/** The characters stand beside what lies over the stage, and the panels above the bar. */

import type { Stage } from "../stage/stage.ts";
import { aside } from "../view/inset-place.ts";
import type { Settings } from "./settings.ts";

const WIDE = 900; // CSS pixels of a window that has room for the bars beside the characters
const EDGE = 16; // CSS pixels beside the bars
const GAP = 8; // CSS pixels between the panels and what is below them

/** What lies over the stage. dock: the bar, and above it the welcome. side: figures and bars. inset: the picture. */
interface Over {
  dock: HTMLElement;
  bar: HTMLElement;
  side: HTMLElement;
  inset: HTMLElement;
}

/** Tells the stage what is covered, now and when that changes. In a wide window the welcome may lie over characters:
 * they are large there, and it goes soon. */
export function makeRoom(
  stage: Stage,
  canvas: HTMLCanvasElement,
  { dock, bar, side, inset }: Over,
  settings: Pick<Settings, "bars" | "inset" | "insetPlace">,
): void {
  const tell = () => {
    const wide = innerWidth > WIDE;
    const [dockAt, barAt] = [dock.getBoundingClientRect(), bar.getBoundingClientRect()];
    const above = side.getBoundingClientRect().left < dockAt.right ? dockAt : barAt;
    side.style.bottom = `${innerHeight - above.top + GAP}px`;
    const picture = settings.inset.value ? inset.getBoundingClientRect() : new DOMRect();
    const taken = aside(picture, { width: innerWidth, height: innerHeight });
    const bars = wide && settings.bars.value ? side.offsetWidth + EDGE : 0;
    stage.covered = {
      ...taken,
      right: Math.max(bars, taken.right),
      bottom: innerHeight - (wide ? barAt : dockAt).top,
    };
  };
  const observer = new ResizeObserver(tell);
  for (const part of [dock, canvas, inset]) observer.observe(part);
  for (const signal of [settings.bars, settings.inset, settings.insetPlace]) signal.follow(tell);
}
