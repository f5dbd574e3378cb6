/** Panels that open beside a button and close with Escape or a press elsewhere. */

import { element } from "./element.ts";

/** Pixels between a panel and its button, or the window's edge. */
const GAP = 10;

/** Makes the button open a panel. fill: gives the panel's content, each time it opens. */
export function menu(button: HTMLButtonElement, label: string, fill: () => Node[], className = ""): HTMLElement {
  const panel = element("div", {
    class: `menu panel ${className}`,
    popover: "auto",
    role: "dialog",
    "aria-label": label,
  });
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  button.popoverTargetElement = panel;
  panel.addEventListener("beforetoggle", (event) => {
    if ((event as ToggleEvent).newState === "open") panel.replaceChildren(...fill());
  });
  panel.addEventListener("toggle", (event) => {
    const open = (event as ToggleEvent).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(panel, button);
    const chosen = panel.querySelector<HTMLElement>("input[type=radio]:checked");
    (chosen ?? panel.querySelector<HTMLElement>("button, input, select"))?.focus();
  });
  document.body.append(panel);
  return panel;
}

/** Puts the panel above the button, or below it where there is more room, inside the window. */
export function place(panel: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const left = Math.min(Math.max(GAP, at.left + at.width / 2 - width / 2), innerWidth - width - GAP);
  const above = at.top > innerHeight / 2;
  const top = above ? at.top - height - GAP : at.bottom + GAP;
  panel.style.left = `${Math.max(GAP, left)}px`;
  panel.style.top = `${Math.min(Math.max(GAP, top), Math.max(GAP, innerHeight - height - GAP))}px`;
}
