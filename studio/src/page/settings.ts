/** The preferences as signals, kept when they change. */

import { Signal } from "../signal.ts";
import type { Parameters } from "./parameters.ts";
import { loadPreferences, type Preferences, type Store, savePreferences } from "./preferences.ts";

type Signals = { readonly [Name in keyof Preferences]: Signal<Preferences[Name]> };

/** store: undefined where nothing is to be kept. parameters: what the URL sets goes before what was kept. */
export function createSettings(store: Store | undefined, parameters: Parameters): Signals {
  const kept = loadPreferences(store);
  for (const name of ["mirror", "refine", "smoothing"] as const) kept[name] = parameters[name] ?? kept[name];
  const names = Object.keys(kept) as (keyof Preferences)[];
  const signals = Object.fromEntries(
    names.map((name) => [name, new Signal<unknown>(kept[name])]),
  ) as unknown as Signals;
  let ready = false;
  for (const name of names) {
    (signals[name] as Signal<unknown>).follow((value) => {
      Object.assign(kept, { [name]: value });
      if (ready) savePreferences(store, kept);
    });
  }
  ready = true;
  return signals;
}

export type Settings = Signals;

/** The browser's store of that name; undefined where it keeps it from the page. */
export function browserStore(name: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}
