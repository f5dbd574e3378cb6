/** Puts the page together. Data flows one way: source, engine, people, stage and views. */

import type { Engine, EngineMode, FrameAnswer } from "../engine/engine.ts";
import { ServerEngine } from "../engine/server.ts";
import { Figures } from "../figures.ts";
import { Cast } from "../people/cast.ts";
import { CHARACTERS, CharacterChoices, keptChoices } from "../people/characters.ts";
import { Recorder } from "../recording/recorder.ts";
import type { Signal } from "../signal.ts";
import { cameraAllowed } from "../sources/camera.ts";
import { Capture } from "../sources/capture.ts";
import { FrameBudget } from "../sources/frame-size.ts";
import type { CharacterSource } from "../stage/stage.ts";
import { createStage } from "../stage/three-stage.ts";
import { Bars } from "../view/bars.ts";
import { Chips } from "../view/chips.ts";
import { commandOf } from "../view/commands.ts";
import { element } from "../view/element.ts";
import { FiguresPanel } from "../view/figures-panel.ts";
import { Help } from "../view/help.ts";
import { Loading } from "../view/loading.ts";
import { Notices } from "../view/notices.ts";
import { AccessKey } from "./access-key.ts";
import { chooseFile, takeDrops } from "./drops.ts";
import { EngineControl } from "./engine-control.ts";
import { Files } from "./files.ts";
import { keepFile, keptFiles } from "./kept-files.ts";
import { mediaSignal } from "./media.ts";
import { parseParameters } from "./parameters.ts";
import { PictureView } from "./picture-view.ts";
import { makeRoom } from "./room.ts";
import { createSettings } from "./settings.ts";
import { SourceControls } from "./source-controls.ts";
import { browserStore } from "./store.ts";
import { studioBar } from "./studio-bar.ts";
import { studioCommands } from "./studio-commands.ts";
import { followTheme } from "./theme.ts";
import { watchFigures } from "./watch-figures.ts";

const CHARACTER_FILES = ".glb,.vrm,model/gltf-binary";
const FIRST_PEOPLE = [1, 2]; // of the page's own film, and likely of a camera
const SMOOTH = 10; // display frames a second: below what the stage draws at least where the processor draws

/** Starts the page in an element. query: of the URL, see parameters.ts. */
export async function startStudio(root: HTMLElement, query: string): Promise<void> {
  const parameters = parseParameters(query, import.meta.env.MODE === "static" ? "local" : "server");
  const { obs } = parameters;
  const settings = createSettings(obs ? undefined : browserStore("localStorage"), parameters);
  document.documentElement.classList.toggle("obs", obs);
  const notices = new Notices();

  // The stage
  const canvas = element("canvas", { class: "stage", role: "img", "aria-label": "The characters" });
  root.append(element("main", {}, canvas));
  const stage = createStage(canvas, { transparent: obs });
  stage.onproblem = (problem) => {
    if (problem) notices.show("stage", { title: "The stage has stopped", detail: problem.message });
    else notices.clear("stage");
  };
  stage.onfailure = (error) => notices.show("character", { title: "A character has failed", detail: error.message });
  followTheme(settings.theme).follow((scheme) => {
    stage.colourScheme = scheme;
  });
  mediaSignal("(prefers-reduced-motion: reduce)").follow((reduced) => {
    stage.reducedMotion = reduced;
  });
  settings.mirror.follow((mirror) => {
    stage.mirror = mirror;
  });

  // People and their characters
  const fromAddress = parameters.characters.length > 0;
  const choices = new CharacterChoices(parameters.characters, fromAddress ? [] : settings.characters.value);
  const kept = obs || fromAddress ? [] : keptFiles(); // is there before the first person comes
  for (const person of FIRST_PEOPLE) {
    const source = choices.of(person);
    if ("name" in source) stage.prepare(source.name);
  }
  const engine = await createEngine(parameters.engine);
  const loading = new Loading(engine.mode);
  const chips = new Chips({
    choose: (person, source) => void choose(person, source),
    chooseFile: (person) => chooseFile(CHARACTER_FILES, (file) => void choose(person, { file })),
    drop: (person, file) => void choose(person, { file }),
  });
  const cast = new Cast(stage, choices, chips, (error) => {
    if (!error) notices.clear("character");
    else {
      loading.end();
      notices.show("character", { title: "The character cannot be used", detail: error.message });
    }
  });
  cast.present.follow((present) => present && loading.end());
  const choose = async (person: number, source: CharacterSource) => {
    notices.clear("character");
    if (!(await cast.choose(person, source))) return;
    settings.characters.value = keptChoices(settings.characters.value, person, source);
    if (!obs) await keepFile(person, "file" in source ? source.file : undefined);
  };

  const [unknown] = parameters.unknownCharacters;
  if (unknown)
    notices.show("characters", {
      title: `There is no character ${unknown.slice(0, 40)}`,
      detail: `The address asks for it. There are ${CHARACTERS.join(", ")}.`,
    });

  // From the source to the engine, and from its answers to the views
  const budget = new FrameBudget();
  const capture = new Capture(engine, () => budget.side(settings.frameSide.value));
  const figures = new Figures();
  const recorder = new Recorder(
    (framesPerSecond) => stage.capture(framesPerSecond),
    (sentence) => {
      notices.clear("recording");
      notices.show("recording", { title: "Recording", detail: sentence });
    },
  );
  const bars = new Bars();
  const picture = new PictureView(settings, notices);
  const where = modeSentence(engine.mode);
  const controls = new SourceControls(settings, notices, parameters, where, (file) => files.take(file));
  const { sources } = controls;
  const files = new Files(stage, sources, notices, (person, file) => void choose(person, { file }));
  const seeNobody = () => {
    cast.restAll();
    picture.clear();
  };
  /** Faces that move are not seen for a while; those of a still picture stay as they were. */
  const lookAway = () => {
    if (sources.current.value?.kind !== "picture") seeNobody();
  };

  /** Since when the source is looked at, on performance.now()'s clock. */
  let sourceSince = 0;
  const take = (answer: FrameAnswer) => {
    capture.next(); // first of all, so that the engine does not wait for what is drawn here
    if (answer.capturedAt < sourceSince) return; // of the source before
    const { absolute, relative } = cast.update(answer);
    if (!absolute.length) loading.end(); // the first character may be long in coming
    figures.answered(answer);
    recorder.add(answer, relative);
    picture.draw({ seen: absolute, image: answer.image });
    if (settings.bars.value) bars.show(relative, (person) => cast.titleOf(person));
    // Where the display is slow, too, it is this machine that is busy, and smaller frames would not help.
    if (stage.frameRate >= SMOOTH) budget.add(answer.answeredAt - answer.capturedAt, answer.answeredAt);
    if (!obs) tellSlowness(notices, budget.slow, engine.mode); // that passes is not drawn into what others watch
  };
  const control = new EngineControl(engine, settings, new AccessKey(browserStore("sessionStorage")), notices, {
    answer: take,
    changed: () => sources.current.value?.refresh(),
  });

  // Controls
  const help = new Help(() => commands, where, engine.mode === "local");
  const commands = studioCommands({ settings, cast, recorder, notices, inset: picture.inset, help, sources });
  const panel = new FiguresPanel();
  settings.figures.follow((open) => {
    panel.open = open;
  });
  panel.pill.onclick = () => {
    settings.figures.value = !settings.figures.value;
  };
  showWhile(picture.inset.root, settings.inset);
  showWhile(bars.root, settings.bars);
  if (obs) root.append(picture.inset.root, notices.root);
  else {
    const bar = studioBar(commands, controls.menu, chips, recorder, settings);
    const side = element(
      "aside",
      { class: "side", "aria-label": "Figures and coefficients" },
      panel.pill,
      panel.root,
      bars.root,
    );
    const drops = takeDrops((file, point) => files.take(file, point));
    const dock = element("div", { class: "dock" }, controls.welcome.root, bar);
    const foot = element("div", { class: "foot" }, notices.hud, dock);
    root.append(loading.root, picture.inset.root, side, notices.root, foot, drops, help.root);
    makeRoom(stage, canvas, { dock, bar, side, inset: picture.inset.root }, settings);
    addEventListener("keydown", (event) => {
      const command = commandOf(event, commands);
      if (!command) return;
      event.preventDefault();
      command.run();
    });
  }

  // What follows from a change
  let looked = "";
  sources.current.follow((source) => {
    sourceSince = performance.now();
    capture.source = source;
    seeNobody();
    cast.restart();
    figures.restart();
    picture.show(source);
    source?.interrupted.follow((why) => {
      if (why) seeNobody();
    });
    if (!source || source.title === looked) return;
    looked = source.title;
    cast.forgetNeutral(); // others may be in it
  });
  control.state.follow((state) => {
    loading.show(state);
    if (state === "open") {
      sources.current.value?.refresh();
      capture.next();
    } else lookAway();
  });
  document.addEventListener("visibilitychange", () => {
    sources.setActive(!document.hidden);
    if (document.hidden) lookAway();
  });
  watchFigures({ stage, cast, figures, capture, engine, engineState: control.state, sources }, (about, now) => {
    const source = sources.current.value;
    if (source) picture.inset.fit(source);
    if (!obs) panel.show(figures, { ...about, frame: picture.frame }, now);
  });

  control.open();
  for (const [person, file] of await kept) choices.choose(person, { file });
  if (obs || (settings.cameraUsed.value && (await cameraAllowed()))) void controls.openCamera();
  else if (!(await sources.film())) notices.clear("source"); // without the film the page waits for a source
  sources.opening.follow((busy) => {
    if (!busy && !sources.current.value) loading.end();
  });
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

/** slow: whether smaller frames are sent than the reader asked for. */
function tellSlowness(notices: Notices, slow: boolean, mode: EngineMode): void {
  if (!slow) notices.clear("slow");
  else if (mode === "local")
    notices.show("slow", {
      title: "This machine is busy",
      detail: "Answers took more than a second. Smaller pictures are looked at until they are quick again.",
    });
  else
    notices.show("slow", {
      title: "The network or the server is slow",
      detail: "Answers took more than a second. Smaller pictures are sent until they are quick again.",
    });
}

function showWhile(part: HTMLElement, shown: Signal<boolean>): void {
  shown.follow((on) => {
    part.classList.toggle("put-away", !on);
    part.inert = !on;
  });
}
