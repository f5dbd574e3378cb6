/** The key that the reader has typed in, kept until the tab is closed. */

import { readText, type Store, writeText } from "./store.ts";

const NAME = "mfn-studio-key";

export class AccessKey {
  readonly #store: Store | undefined;
  #text: string;

  constructor(store: Store | undefined) {
    this.#store = store;
    this.#text = readText(store, NAME) ?? "";
  }

  /** Empty where there is none. */
  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    writeText(this.#store, NAME, text);
  }
}
