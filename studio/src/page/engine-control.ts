/** Has the engine work as the settings say, and tells the reader what is wrong with it. */

import type { Problem } from "mfn-client";
import type { Engine, EngineOptions, EngineState, FrameAnswer } from "../engine/engine.ts";
import { Signal } from "../signal.ts";
import type { Notices } from "../view/notices.ts";
import type { AccessKey } from "./access-key.ts";
import { engineNotice } from "./engine-notices.ts";
import { showsMesh } from "./picture-view.ts";
import type { Settings } from "./settings.ts";

export interface EngineControlEvents {
  answer(answer: FrameAnswer): void;
  /** Options were changed: what is looked at is looked at again. */
  changed(): void;
}

export class EngineControl {
  readonly state = new Signal<EngineState>("connecting");
  readonly #engine: Engine;
  readonly #settings: Settings;
  readonly #key: AccessKey;
  readonly #notices: Notices;
  readonly #events: EngineControlEvents;

  constructor(engine: Engine, settings: Settings, key: AccessKey, notices: Notices, events: EngineControlEvents) {
    this.#engine = engine;
    this.#settings = settings;
    this.#key = key;
    this.#notices = notices;
    this.#events = events;
  }

  /** Opens the engine, and follows the settings. Call once. */
  open(): void {
    let told = JSON.stringify(this.#options);
    this.#engine.open(this.#options, {
      answer: (answer) => {
        this.#events.answer(answer);
        this.#notices.clear("engine");
      },
      problem: (problem) => this.#tell(problem),
      state: (state) => {
        this.state.value = state;
      },
    });
    const { refine, smoothing, overlay, inset } = this.#settings;
    for (const signal of [refine, smoothing, overlay, inset]) {
      signal.follow(() => {
        const options = JSON.stringify(this.#options);
        if (options === told) return;
        told = options;
        this.#configure();
      });
    }
  }

  get #options(): EngineOptions {
    const { refine, smoothing } = this.#settings;
    const identity = showsMesh(this.#settings);
    return { refine: refine.value, smoothing: smoothing.value, identity, key: this.#key.text };
  }

  #configure(): void {
    this.#engine.configure(this.#options);
    this.#events.changed();
  }

  #tell(problem: Problem): void {
    const ways = {
      key: (text: string) => {
        this.#key.text = text;
        this.#configure();
      },
      again: () => this.#configure(),
    };
    // The state follows after the problem: one that closes the engine is known a moment later.
    queueMicrotask(() => {
      const closed = this.state.value === "closed";
      const circumstances = { mode: this.#engine.mode, closed, keyed: this.#key.text !== "" };
      this.#notices.show("engine", engineNotice(problem, circumstances, ways));
    });
  }
}
