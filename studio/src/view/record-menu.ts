/** Starts and stops recordings, and chooses what they hold. */

import { durationText, sizeText } from "../recording/files.ts";
import { type Formats, MAX_BYTES, MAX_MS, type Progress } from "../recording/recorder.ts";
import type { Signal } from "../signal.ts";
import { type Command, keyText } from "./commands.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { menu } from "./menu.ts";

const TITLES: Readonly<Record<keyof Formats, readonly [string, string]>> = {
  video: ["Characters", "WebM video"],
  jsonLines: ["Motion as JSON lines", "an answer a line"],
  csv: ["Motion as Live Link Face CSV", "a file a person"],
};

/** The button, its running figures, and the button of the menu. */
export function recordControls(
  command: Command,
  progress: Signal<Progress | undefined>,
  formats: () => Formats,
  choose: (formats: Formats) => void,
): Node[] {
  const button = element("button", {
    type: "button",
    class: "icon-button record",
    "aria-keyshortcuts": command.key,
    "data-command": command.id,
  });
  const figures = element("span", { class: "record-figures", role: "timer" });
  button.onclick = command.run;
  progress.follow((now) => {
    const title = now ? "Stop recording" : command.title;
    if (button.getAttribute("aria-label") !== title) {
      button.setAttribute("aria-label", title);
      button.setAttribute("aria-pressed", String(!!now));
      button.dataset.tip = `${title}  ${keyText(command)}`;
      button.replaceChildren(icon(now ? "stop" : "record"));
    }
    figures.textContent = now ? `${durationText(now.milliseconds)} · ${sizeText(now.bytes)}` : "";
  });
  const opener = element(
    "button",
    { type: "button", class: "icon-button slim", "aria-label": "What is recorded" },
    icon("chevron"),
  );
  menu(opener, "What is recorded", () => [
    element("h2", {}, "Record"),
    ...(Object.keys(TITLES) as (keyof Formats)[]).map((format) => {
      const input = element("input", { type: "checkbox" });
      input.checked = formats()[format];
      input.onchange = () => choose({ ...formats(), [format]: input.checked });
      const [title, detail] = TITLES[format];
      const text = element("span", { class: "row-title" }, title, element("small", {}, detail));
      return element("label", { class: "check-row" }, input, text);
    }),
    element(
      "p",
      { class: "hint" },
      `It is saved when you stop, after ${MAX_MS / 60_000} minutes, or at ${MAX_BYTES / 1e6} MB.`,
    ),
  ]);
  return [button, figures, opener];
}
