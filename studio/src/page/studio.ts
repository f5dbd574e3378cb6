/** Puts the page together. Data flows one way: source, engine, people, stage and views. */

import type { Problem } from "mfn-client";
import type { Engine, EngineMode, EngineOptions, EngineState, FrameAnswer } from "../engine/engine.ts";
import { ServerEngine } from "../engine/server.ts";
import { Cast } from "../people/cast.ts";
import { CharacterChoices } from "../people/characters.ts";
import { Recorder } from "../recording/recorder.ts";
import { CameraSource, cameraAllowed } from "../sources/camera.ts";
import { Capture } from "../sources/capture.ts";
import { FrameBudget } from "../sources/frame-size.ts";
import type { SourceError } from "../sources/source.ts";
import { Sources } from "../sources/sources.ts";
import { createStage } from "../stage/three-stage.ts";
import { Bars } from "../view/bars.ts";
import { Chips } from "../view/chips.ts";
import { element } from "../view/element.ts";
import { FiguresPanel } from "../view/figures-panel.ts";
import { Help } from "../view/help.ts";
import { Inset } from "../view/inset.ts";
import { type FaceMesh, fetchFaceMesh } from "../view/mesh/face-mesh.ts";
import { Notices } from "../view/notices.ts";
import { type Drawing, drawOverlay } from "../view/overlay.ts";
import { SourceMenu } from "../view/source-menu.ts";
import { Welcome } from "../view/welcome.ts";
import { commandOf } from "./commands.ts";
import { chooseFile, takeDrops } from "./drops.ts";
import { engineNotice } from "./engine-notices.ts";
import { Figures } from "./figures.ts";
import { Files } from "./files.ts";
import { parseParameters } from "./parameters.ts";
import { makeRoom } from "./room.ts";
import { browserStore, createSettings } from "./settings.ts";
import { Signal } from "./signal.ts";
import { studioBar } from "./studio-bar.ts";
import { type NeutralState, studioCommands } from "./studio-commands.ts";
import { followTheme } from "./theme.ts";
import { watchFigures } from "./watch-figures.ts";

const CHARACTER_FILES = ".glb,.vrm,model/gltf-binary";
const SOURCE_FILES = "video/*,image/*";
const KEY = "mfn-studio-key";
const FIRST_PEOPLE = [1, 2]; // of the page's own film, and likely of a camera
const SMOOTH = 15; // display frames a second

/** Starts the page in an element. query: of the URL, see parameters.ts. */
export async function startStudio(root: HTMLElement, query: string): Promise<void> {
  const parameters = parseParameters(query, import.meta.env.MODE === "static" ? "local" : "server");
  const { obs } = parameters;
  const settings = createSettings(obs ? undefined : browserStore("localStorage"), parameters);
  const session = browserStore("sessionStorage");
  const scheme = followTheme(settings.theme);
  document.documentElement.classList.toggle("obs", obs);

  const notices = new Notices();
  const canvas = element("canvas", { class: "stage", role: "img", "aria-label": "The characters" });
  root.append(element("main", {}, canvas));
  const stage = createStage(canvas, {
    transparent: obs,
    reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  stage.onproblem = (problem) => {
    if (problem) notices.show("stage", { title: "The stage has stopped", detail: problem.message });
    else notices.clear("stage");
  };
  stage.onfailure = (error) => notices.show("character", { title: "A character has failed", detail: error.message });
  scheme.follow((value) => {
    stage.colourScheme = value;
  });
  settings.mirror.follow((mirror) => {
    stage.mirror = mirror;
  });

  // People and their characters
  const choices = new CharacterChoices(
    parameters.characters.length ? parameters.characters : undefined,
    parameters.characters.length ? [] : settings.characters.value,
  );
  for (const person of FIRST_PEOPLE) {
    const source = choices.of(person);
    if ("name" in source) stage.prepare(source.name);
  }
  const chips = new Chips({
    choose: (person, character) => void choose(person, character),
    chooseFile: (person) => chooseFile(CHARACTER_FILES, (file) => void choose(person, { file })),
    drop: (person, file) => void choose(person, { file }),
  });
  const cast = new Cast(stage, choices, chips, (error) =>
    notices.show("character", { title: "The character cannot be used", detail: error.message }),
  );
  async function choose(...choice: Parameters<Cast["choose"]>): Promise<void> {
    notices.clear("character");
    await cast.choose(...choice);
    settings.characters.value = choices.named;
  }

  // From the source to the engine
  const engine = await createEngine(parameters.engine);
  const engineState = new Signal<EngineState>("connecting");
  const budget = new FrameBudget();
  const capture = new Capture(engine, () => budget.side(settings.frameSide.value));
  const figures = new Figures();
  const recorder = new Recorder(
    (framesPerSecond) => stage.capture(framesPerSecond),
    (sentence) => notices.show("recording", { title: "Recording", detail: sentence }),
  );
  const neutral = new Signal<NeutralState>("off");
  const bars = new Bars();
  const inset = new Inset(settings.insetPlace.value, {
    moved: (place) => {
      settings.insetPlace.value = place;
    },
    hidden: () => {
      settings.inset.value = false;
    },
  });
  let drawing: Drawing = { seen: [], image: { width: 0, height: 0 } };
  let mesh: FaceMesh | undefined;
  const redraw = () => {
    if (settings.inset.value) drawOverlay(inset.canvas, drawing, settings.overlay.value, settings.mirror.value, mesh);
  };

  const seeNobody = () => {
    cast.restAll();
    drawing = { seen: [], image: { width: 0, height: 0 } };
    redraw();
  };

  /** Since when the source is looked at, on performance.now()'s clock. */
  let sourceSince = 0;
  const onAnswer = (answer: FrameAnswer) => {
    capture.next(); // first of all, so that the engine does not wait for what is drawn here
    if (answer.capturedAt < sourceSince) return; // of the source before
    const seen = cast.update(answer);
    figures.answered(answer);
    recorder.add(answer, seen);
    neutral.value = neutralOf(answer);
    drawing = { seen, image: answer.image };
    redraw();
    if (settings.bars.value) bars.show(seen, (person) => cast.titleOf(person));
    // Where the display is slow, too, it is this machine that is busy, and smaller frames would not help.
    if (stage.frameRate >= SMOOTH) budget.add(answer.answeredAt - answer.capturedAt, answer.answeredAt);
    notices.clear("engine");
    if (!budget.slow) notices.clear("slow");
    else
      notices.show("slow", {
        title: "Answers take more than a second",
        detail:
          engine.mode === "local"
            ? "This machine is busy. Smaller pictures are looked at until it is quicker."
            : "The network or the server is slow. Smaller pictures are sent until it is quicker.",
      });
  };
  const onProblem = (problem: Problem) => {
    // A stream on which nothing comes is ended by the server: a hidden tab and a still picture send nothing.
    const idle = document.hidden || sources.current.value?.kind === "picture";
    if (idle && problem.type.endsWith(":deadline-passed")) return;
    const again = () => engine.configure(engineOptions());
    const key = (text: string) => {
      session?.setItem(KEY, text);
      apiKey = text;
      again();
    };
    // The state follows after the problem: one that closes the engine is known a moment later.
    queueMicrotask(() =>
      notices.show("engine", engineNotice(problem, engine.mode, engineState.value === "closed", { key, again })),
    );
  };
  let apiKey = session?.getItem(KEY) ?? "";
  const needsIdentity = () => settings.inset.value && ["mesh", "all"].includes(settings.overlay.value);
  const engineOptions = (): EngineOptions => ({
    refine: settings.refine.value,
    smoothing: settings.smoothing.value,
    identity: needsIdentity(),
    key: apiKey,
  });

  const sources = new Sources({ problem: (error) => tellSource(error) });
  function tellSource(error: SourceError | undefined): void {
    if (error) notices.show("source", { title: error.title, detail: error.message });
    else notices.clear("source");
  }
  let byHand = false; // a camera was chosen in the menu, in place of the one that the address names
  const openCamera = async (device = settings.camera.value) => {
    settings.camera.value = device;
    const name = byHand ? "" : parameters.camera;
    const choice = { device, name, lines: settings.cameraLines.value };
    if (await sources.camera(choice)) settings.cameraUsed.value = true;
  };
  const openFilm = () => sources.film();
  const files = new Files(stage, sources, notices, (person, file) => void choose(person, { file }));

  // Controls
  const help = new Help(() => commands, modeSentence(engine.mode));
  const commands = studioCommands({ settings, neutral, engine, recorder, notices, inset, help, sources });
  const sourceMenu = new SourceMenu({
    camera: (device) => {
      byHand = true;
      void openCamera(device);
    },
    cameraLines: (lines) => {
      settings.cameraLines.value = lines;
      if (sources.current.value?.kind === "camera") void openCamera();
    },
    film: () => void openFilm(),
    file: () => chooseFile(SOURCE_FILES, (file) => files.take(file)),
  });
  const welcome = new Welcome(modeSentence(engine.mode), () => void openCamera());
  sources.opening.follow((opening) => {
    welcome.busy = opening && sources.current.value !== undefined;
  });
  const panel = new FiguresPanel();
  settings.figures.follow((open) => {
    panel.open = open;
  });
  panel.pill.onclick = () => {
    settings.figures.value = !settings.figures.value;
  };
  const visible = (part: HTMLElement, shown: Signal<boolean>) =>
    shown.follow((on) => {
      part.classList.toggle("put-away", !on);
      part.inert = !on;
    });
  visible(inset.root, settings.inset);
  visible(bars.root, settings.bars);
  if (obs) root.append(inset.root, notices.root);
  else {
    const bar = studioBar(commands, sourceMenu, chips, recorder, settings);
    const side = element(
      "aside",
      { class: "side", "aria-label": "Figures and coefficients" },
      panel.pill,
      panel.root,
      bars.root,
    );
    const drops = takeDrops((file, x) => files.take(file, x));
    const dock = element("div", { class: "dock" }, welcome.root, bar);
    const foot = element("div", { class: "foot" }, notices.hud, dock);
    root.append(inset.root, side, notices.root, foot, drops, help.root);
    makeRoom(stage, canvas, { dock, bar, side }, settings.bars);
    addEventListener("keydown", (event) => {
      const command = commandOf(event, commands);
      if (!command) return;
      event.preventDefault();
      command.run();
    });
  }

  // What follows from a change
  sources.current.follow((source) => {
    sourceSince = performance.now();
    capture.source = source;
    seeNobody();
    cast.restart();
    figures.restart();
    if (source) inset.show(source);
    welcome.root.hidden = source?.kind === "camera" || source?.kind === "video" || source?.kind === "picture";
    const device = source instanceof CameraSource ? source.device : settings.camera.value;
    sourceMenu.show(source, device, settings.cameraLines.value);
  });
  settings.mirror.follow((mirror) => {
    inset.mirrored = mirror;
    redraw();
  });
  const reconfigure = () => {
    engine.configure(engineOptions());
    sources.current.value?.refresh();
  };
  let told = engineOptions();
  for (const signal of [settings.refine, settings.smoothing, settings.overlay, settings.inset]) {
    signal.follow(async () => {
      redraw();
      if (needsIdentity()) mesh ??= await fetchFaceMesh();
      const options = engineOptions();
      if (JSON.stringify(options) === JSON.stringify(told)) return;
      told = options;
      reconfigure();
    });
  }
  engineState.follow((state) => {
    if (state === "open") {
      sources.current.value?.refresh();
      capture.next();
    } else seeNobody();
  });
  document.addEventListener("visibilitychange", () => {
    sources.setActive(!document.hidden);
    if (document.hidden) seeNobody();
  });

  watchFigures({ stage, cast, figures, capture, engine, engineState, sources }, (surroundings, now) => {
    const source = sources.current.value;
    if (source) inset.fit(source);
    if (!obs) panel.show(figures, { ...surroundings, frame: drawing.image }, now);
  });

  engine.open(engineOptions(), {
    answer: onAnswer,
    problem: onProblem,
    state: (state) => {
      engineState.value = state;
    },
  });
  if (obs || (settings.cameraUsed.value && (await cameraAllowed()))) void openCamera();
  else if (!(await openFilm())) tellSource(undefined); // without the film the page waits for a source
}

async function createEngine(mode: EngineMode): Promise<Engine> {
  if (mode === "server") return new ServerEngine(new URL("..", document.baseURI));
  const { createLocalEngine } = await import("../engine/local/local-engine.ts");
  return createLocalEngine();
}

function modeSentence(mode: EngineMode): string {
  if (mode === "local") return "The camera's pictures are looked at in this browser. None leaves this device.";
  return `The camera's pictures go to this server, ${location.host}, which looks at each and forgets it. None goes elsewhere.`;
}

function neutralOf({ faces }: FrameAnswer): NeutralState {
  if (faces.some(({ neutral }) => neutral === "collecting")) return "collecting";
  return faces.some(({ neutral }) => neutral === "on") ? "on" : "off";
}
