/** The thin bar of controls, and the menu with all of them. */

import { type Command, keyText } from "./commands.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";

/** A round button of a command. wide: left to the menu where the window is narrow. */
export function commandButton(command: Command, wide: boolean): HTMLButtonElement {
  const button = element(
    "button",
    {
      type: "button",
      class: wide ? "icon-button wide" : "icon-button",
      "aria-label": command.title,
      "aria-keyshortcuts": command.shift ? `Shift+${command.key}` : command.key,
      "data-tip": `${command.title}  ${keyText(command)}`,
      "data-command": command.id,
    },
    icon(command.icon),
  );
  button.onclick = command.run;
  command.on?.follow((on) => button.setAttribute("aria-pressed", String(on)));
  return button;
}

/** A line of the menu, which tells what is switched. done: is called after anything else. */
export function commandRow(command: Command, done: () => void): HTMLButtonElement {
  const state = element("small", {}, command.state?.() ?? "");
  const row = element(
    "button",
    { type: "button", class: "row-button", "aria-pressed": command.on ? String(command.on.value) : undefined },
    icon(command.icon),
    element("span", { class: "row-title" }, command.title, state),
    element("kbd", { "aria-hidden": "true" }, keyText(command)),
  );
  row.onclick = () => {
    command.run();
    state.textContent = command.state?.() ?? "";
    if (command.on) row.setAttribute("aria-pressed", String(command.on.value));
    else if (!command.state) done();
  };
  return row;
}

/** A choice among a few values. */
export function choiceRow<Value extends string | number>(
  title: string,
  choices: readonly (readonly [Value, string])[],
  chosen: Value,
  choose: (value: Value) => void,
): HTMLElement {
  const select = element("select", { "aria-label": title });
  for (const [value, text] of choices) select.append(new Option(text, String(value), false, value === chosen));
  select.onchange = () => {
    const choice = choices.find(([value]) => String(value) === select.value);
    if (choice) choose(choice[0]);
  };
  return element("label", { class: "choice-row" }, element("span", {}, title), select);
}

export function separator(): HTMLElement {
  return element("span", { class: "separator", "aria-hidden": "true" });
}
