/** The bar: source, people, switches, recording, and a menu of all there is. */

import type { Recorder } from "../recording/recorder.ts";
import { choiceRow, commandButton, commandRow, separator } from "../view/bar.ts";
import type { Chips } from "../view/chips.ts";
import type { Command } from "../view/commands.ts";
import { element } from "../view/element.ts";
import { icon } from "../view/icons.ts";
import { menu } from "../view/menu.ts";
import { recordControls } from "../view/record-menu.ts";
import type { SourceMenu } from "../view/source-menu.ts";
import { FRAME_SIDES } from "./preferences.ts";
import type { Settings } from "./settings.ts";

/** Commands that have a button of their own; those of the second list only where there is room. */
const ALWAYS = ["neutral"];
const WITH_ROOM = ["smoothing", "refine", "mirror", "overlay", "inset", "bars"];

export function studioBar(
  commands: readonly Command[],
  sourceMenu: SourceMenu,
  chips: Chips,
  recorder: Recorder,
  settings: Settings,
): HTMLElement {
  const buttons = (ids: readonly string[], wide: boolean) =>
    commands.filter(({ id }) => ids.includes(id)).map((command) => commandButton(command, wide));
  const more = element(
    "button",
    { type: "button", class: "icon-button more-button", "aria-label": "More" },
    icon("more"),
  );
  const panel = menu(
    more,
    "More",
    () => [
      element(
        "div",
        { class: "rows" },
        ...commands
          .filter(({ id }) => id !== "record")
          .map((command) => commandRow(command, () => panel.hidePopover())),
      ),
      element("hr", {}),
      choiceRow(
        "Pictures sent",
        FRAME_SIDES.map((side) => [side, `${side} pixels`] as const),
        settings.frameSide.value,
        (side) => {
          settings.frameSide.value = side;
        },
      ),
    ],
    "more",
  );
  const recording = commands
    .filter(({ id }) => id === "record")
    .flatMap((command) =>
      recordControls(
        command,
        recorder.progress,
        () => settings.record.value,
        (formats) => {
          settings.record.value = formats;
        },
      ),
    );
  return element(
    "nav",
    { class: "bar panel", "aria-label": "Controls" },
    sourceMenu.button,
    separator(),
    chips.root,
    separator(),
    ...buttons(ALWAYS, false),
    ...buttons(WITH_ROOM, true),
    separator(),
    element("div", { class: "record-group" }, ...recording),
    more,
  );
}
