/** What the system says about itself, as prefers-color-scheme. */

import { Signal } from "../signal.ts";

/** Whether a media query holds, now and whenever that changes. */
export function mediaSignal(query: string): Signal<boolean> {
  const list = matchMedia(query);
  const signal = new Signal(list.matches);
  list.addEventListener("change", () => {
    signal.value = list.matches;
  });
  return signal;
}
