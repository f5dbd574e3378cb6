/** The preferences as signals, kept when they change. */

import { Signal } from "../signal.ts";
import type { Parameters } from "./parameters.ts";
import { loadPreferences, type Preferences, savePreferences } from "./preferences.ts";
import type { Store } from "./store.ts";

export type Settings = { readonly [Name in keyof Preferences]: Signal<Preferences[Name]> };

/** store: undefined where nothing is to be kept. parameters: what the URL sets goes before what was kept, and is not
 * kept itself. */
export function createSettings(
  store: Store | undefined,
  { mirror, refine, smoothing }: Pick<Parameters, "mirror" | "refine" | "smoothing">,
): Settings {
  const kept = loadPreferences(store);
  const start: Preferences = {
    ...kept,
    mirror: mirror ?? kept.mirror,
    refine: refine ?? kept.refine,
    smoothing: smoothing ?? kept.smoothing,
  };
  const signals = Object.entries(start).map(([name, value]) => {
    const signal = new Signal<unknown>(value);
    let first = true; // follow tells the value that is there, which nobody has chosen
    signal.follow((chosen) => {
      if (!first) savePreferences(store, Object.assign(kept, { [name]: chosen }));
      first = false;
    });
    return [name, signal];
  });
  return Object.fromEntries(signals) as Settings;
}
