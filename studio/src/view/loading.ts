/** Says that the page is at work, until the first character is there. */

import type { EngineMode, EngineState } from "../engine/engine.ts";
import { element } from "./element.ts";

/** Of the networks and their runtime as the service sends them, the runtime compressed. */
const NETWORKS_MB = 6;

/** What an engine fetches before it opens; undefined where that is nothing. */
export function fetches(mode: EngineMode, state: EngineState): string | undefined {
  return mode === "local" && state === "connecting" ? `Loading the networks, ${NETWORKS_MB} MB` : undefined;
}

export class Loading {
  readonly root = element("p", { class: "loading", role: "status" });
  readonly #mode: EngineMode;

  constructor(mode: EngineMode) {
    this.#mode = mode;
  }

  /** state: of the engine. */
  show(state: EngineState): void {
    if (state === "closed") this.end();
    else this.root.textContent = fetches(this.#mode, state) ?? "Loading the characters";
  }

  /** A character is there, nobody is to be seen, or something is wrong, which is told elsewhere. */
  end(): void {
    this.root.remove();
  }
}
