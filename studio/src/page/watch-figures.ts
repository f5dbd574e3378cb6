/** Measures while the page runs: for the panel of figures, and for scripts. */

import type { Engine, EngineState } from "../engine/engine.ts";
import type { Figures } from "../figures.ts";
import type { Cast } from "../people/cast.ts";
import type { Signal } from "../signal.ts";
import type { Capture } from "../sources/capture.ts";
import type { Sources } from "../sources/sources.ts";
import type { Stage } from "../stage/stage.ts";
import type { Surroundings } from "../view/figures-panel.ts";
import { fetches } from "../view/loading.ts";
import { expose } from "./handle.ts";

const SHOW_MS = 500; // between two updates of the panel

/** What is measured. */
export interface Parts {
  stage: Stage;
  cast: Cast;
  figures: Figures;
  capture: Capture;
  engine: Engine;
  engineState: Signal<EngineState>;
  sources: Sources;
}

/** show: is told of what stands beside the figures, twice a second while the page is seen. */
export function watchFigures(parts: Parts, show: (about: Omit<Surroundings, "frame">, now: number) => void): void {
  const { stage, cast, figures, capture, engine, engineState } = parts;
  const shown = new Map<number, number>(); // capturedAt of what each character showed
  stage.onframe = () => {
    for (const { person, capturedAt, drawnAt } of stage.states) {
      if (shown.get(person) !== capturedAt && cast.sees(person)) figures.drawn(capturedAt, drawnAt);
      shown.set(person, capturedAt);
    }
  };
  setInterval(() => {
    if (document.hidden) return;
    const { model } = engine;
    const about = {
      display: stage.frameRate,
      place: engine.mode === "local" ? "On this device" : "On this server",
      fetches: fetches(engine.mode, engineState.value),
      state: engineState.value,
      model: model ? `${model.name} ${model.version} ${model.precision}` : "",
      dropped: capture.dropped,
    };
    show(about, performance.now());
  }, SHOW_MS);
  exposeHandle(parts);
}

function exposeHandle({ stage, cast, figures, capture, engine, engineState, sources }: Parts): void {
  expose({
    mode: engine.mode,
    get state() {
      return engineState.value;
    },
    get source() {
      return sources.current.value?.kind;
    },
    get states() {
      return stage.states;
    },
    get people() {
      return cast.numbers.map((number) => ({ number, character: cast.titleOf(number), seen: cast.sees(number) }));
    },
    get answers() {
      return figures.answers;
    },
    get figures() {
      const { latency, roundTrip } = figures;
      const answersPerSecond = figures.answersPerSecond(performance.now());
      return { fps: stage.frameRate, answersPerSecond, latency, roundTrip, dropped: figures.dropped + capture.dropped };
    },
  });
}
