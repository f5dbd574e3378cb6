/** Stores for tests. */

import type { Store } from "../src/page/store.ts";

/** One that holds a single text. */
export function memory(text: string | null = null): Store & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_key, value) {
      this.text = value;
    },
  };
}

/** A private window's. */
export const throwing: Store = {
  getItem: () => {
    throw new Error("denied");
  },
  setItem: () => {
    throw new Error("denied");
  },
};
