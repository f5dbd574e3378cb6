/** The characters stand beside what lies over the stage. */

import type { Signal } from "../signal.ts";
import type { Stage } from "../stage/stage.ts";

const WIDE = 900; // CSS pixels of a window that has room for the bars beside the characters
const EDGE = 16; // CSS pixels beside the bars

/** What lies over the stage. dock: the bar, and above it the welcome. side: figures and bars. */
interface Over {
  dock: HTMLElement;
  bar: HTMLElement;
  side: HTMLElement;
}

/** Tells the stage what is covered, now and when that changes. In a wide window the welcome may lie over characters:
 * they are large there, and it goes soon. */
export function makeRoom(
  stage: Stage,
  canvas: HTMLCanvasElement,
  { dock, bar, side }: Over,
  bars: Signal<boolean>,
): void {
  const tell = () => {
    const wide = innerWidth > WIDE;
    const right = wide && bars.value ? side.offsetWidth + EDGE : 0;
    stage.covered = { right, bottom: innerHeight - (wide ? bar : dock).getBoundingClientRect().top };
  };
  const observer = new ResizeObserver(tell);
  observer.observe(dock);
  observer.observe(canvas);
  bars.follow(tell);
}
