/** The page's commands: what each key does. */

import type { Cast } from "../people/cast.ts";
import type { Recorder } from "../recording/recorder.ts";
import type { Signal } from "../signal.ts";
import type { Sources } from "../sources/sources.ts";
import type { Command } from "../view/commands.ts";
import type { Help } from "../view/help.ts";
import type { Inset } from "../view/inset.ts";
import type { Notices } from "../view/notices.ts";
import { OVERLAYS, type Overlay } from "../view/overlay.ts";
import { THEMES, type Theme } from "./preferences.ts";
import type { Settings } from "./settings.ts";

/** What the commands act on. */
export interface Hands {
  settings: Settings;
  cast: Cast;
  recorder: Recorder;
  notices: Notices;
  inset: Inset;
  help: Help;
  sources: Sources;
}

const OVERLAY_TITLES: Readonly<Record<Overlay, string>> = {
  boxes: "Boxes",
  mesh: "Mesh",
  pose: "Pose",
  all: "Boxes, mesh and pose",
  none: "Nothing is drawn over the picture",
};
const THEME_TITLES: Readonly<Record<Theme, string>> = { system: "As the system", light: "Light", dark: "Dark" };

export function studioCommands(hands: Hands): Command[] {
  const { settings, notices } = hands;
  const toggle = (signal: Signal<boolean>, title: string) => () => {
    signal.value = !signal.value;
    notices.say(`${title} ${signal.value ? "on" : "off"}`);
  };
  return [
    ...neutralCommands(hands),
    {
      id: "smoothing",
      key: "s",
      title: "Smoothing",
      help: "filter out the jitter of still faces",
      icon: "smoothing",
      on: settings.smoothing,
      run: toggle(settings.smoothing, "Smoothing"),
    },
    {
      id: "refine",
      key: "r",
      title: "Refine",
      help: "look closer at each face, and follow it: more exact, with gaze, quicker while faces are few",
      icon: "refine",
      on: settings.refine,
      run: toggle(settings.refine, "Refine"),
    },
    {
      id: "mirror",
      key: "m",
      title: "Mirror",
      help: "show picture and characters as in a mirror",
      icon: "mirror",
      on: settings.mirror,
      run: toggle(settings.mirror, "Mirror"),
    },
    {
      id: "overlay",
      key: "o",
      title: "Overlay",
      help: "draw boxes, mesh, pose, all or nothing over the picture",
      icon: "overlay",
      state: () => OVERLAY_TITLES[settings.overlay.value],
      run: () => {
        settings.overlay.value = next(OVERLAYS, settings.overlay.value);
        notices.say(OVERLAY_TITLES[settings.overlay.value]);
      },
    },
    {
      id: "inset",
      key: "c",
      title: "Camera picture",
      help: "show or hide the picture that is looked at",
      icon: "inset",
      on: settings.inset,
      run: toggle(settings.inset, "Picture"),
    },
    {
      id: "bars",
      key: "b",
      title: "Coefficients",
      help: "show the strongest coefficients of each person",
      icon: "bars",
      on: settings.bars,
      run: toggle(settings.bars, "Coefficients"),
    },
    {
      id: "figures",
      key: "i",
      title: "Figures",
      help: "show milliseconds, frames a second and dropped frames",
      icon: "figures",
      on: settings.figures,
      run: toggle(settings.figures, "Figures"),
    },
    {
      id: "record",
      key: "v",
      title: "Record",
      help: "start or stop a recording",
      icon: "record",
      run: () => toggleRecording(hands),
    },
    ...viewCommands(hands),
  ];
}

function neutralCommands({ cast, notices, sources }: Hands): Command[] {
  cast.neutral.follow((state) => {
    document.documentElement.dataset.neutral = state;
    if (state === "on") notices.say("The resting face is taken");
  });
  return [
    {
      id: "neutral",
      key: "n",
      title: "Neutral face",
      help: "take the next second as each person's resting face",
      icon: "neutral",
      run: () => {
        cast.takeNeutral();
        sources.current.value?.refresh();
        notices.say("Rest your face for a second");
      },
    },
    {
      id: "reset",
      key: "n",
      shift: true,
      title: "Forget the neutral face",
      help: "forget the resting faces",
      icon: "reset",
      run: () => {
        cast.forgetNeutral();
        sources.current.value?.refresh();
        notices.say("The resting faces are forgotten");
      },
    },
  ];
}

function viewCommands({ settings, notices, inset, help }: Hands): Command[] {
  return [
    {
      id: "larger",
      key: "+",
      title: "Larger picture",
      help: "enlarge the picture",
      icon: "enlarge",
      run: () => inset.grow(1),
    },
    {
      id: "smaller",
      key: "-",
      title: "Smaller picture",
      help: "shrink the picture",
      icon: "shrink",
      run: () => inset.grow(-1),
    },
    {
      id: "theme",
      key: "t",
      title: "Light or dark",
      help: "light, dark, or as the system has it",
      icon: "theme",
      state: () => THEME_TITLES[settings.theme.value],
      run: () => {
        settings.theme.value = next(THEMES, settings.theme.value);
        notices.say(THEME_TITLES[settings.theme.value]);
      },
    },
    {
      id: "fullscreen",
      key: "f",
      title: "Full screen",
      help: "fill the screen, or leave it",
      icon: "fullscreen",
      run: () => {
        const done = document.fullscreenElement
          ? document.exitFullscreen()
          : document.documentElement.requestFullscreen?.();
        void done?.catch(() => notices.say("The browser does not let this page fill the screen"));
      },
    },
    { id: "help", key: "?", title: "Help", help: "show or hide this sheet", icon: "help", run: () => help.toggle() },
  ];
}

function toggleRecording({ recorder, settings }: Pick<Hands, "recorder" | "settings">): void {
  if (recorder.progress.value) void recorder.stop();
  else recorder.start(settings.record.value);
}

function next<Value>(values: readonly Value[], value: Value): Value {
  return values[(values.indexOf(value) + 1) % values.length] ?? value;
}
