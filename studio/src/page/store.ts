/** What the browser keeps for the page. Private windows may have no store, or one that throws, as a full one does: then
 * nothing is lost but the memory of a choice. */

/** The part of Storage that is needed. */
export type Store = Pick<Storage, "getItem" | "setItem">;

/** The browser's store of that name; undefined where it keeps it from the page. */
export function browserStore(name: "localStorage" | "sessionStorage"): Store | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

export function readText(store: Store | undefined, key: string): string | undefined {
  try {
    return store?.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function writeText(store: Store | undefined, key: string, text: string): void {
  try {
    store?.setItem(key, text);
  } catch {
    // it holds for this visit only
  }
}
