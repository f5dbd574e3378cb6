/** Sentences for the reader: what is wrong, and what to do. */

import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { Subjects } from "./subjects.ts";

export interface Notice {
  title: string;
  detail: string;
  /** A button that mends it. */
  action?: { title: string; run: () => void };
  /** A question whose answer mends it. */
  question?: { label: string; type: "password" | "text"; button: string; answer: (text: string) => void };
}

/** Milliseconds for which a short message is shown. */
const SHORT_MS = 1800;

export class Notices {
  readonly root = element("div", { class: "notices", role: "region", "aria-label": "Messages" });
  /** The short message, which screen readers read out, too. */
  readonly hud = element("div", { class: "hud", role: "status" });
  readonly #subjects = new Subjects();
  readonly #shown = new Map<string, HTMLElement>();
  #timer = 0;

  /** Shows a notice until it is cleared or closed; it takes the place of an earlier one of the same subject. One that
   * was closed is shown again only after its subject was cleared. */
  show(subject: string, notice: Notice): void {
    if (!this.#subjects.tell(subject, notice.title + notice.detail)) return;
    const card = this.#card(subject, notice);
    const before = this.#shown.get(subject);
    if (before) before.replaceWith(card);
    else this.root.append(card);
    this.#shown.set(subject, card);
  }

  /** What a notice told is over. */
  clear(subject: string): void {
    this.#subjects.clear(subject);
    this.#remove(subject);
  }

  /** Tells in passing, as what a key has changed. */
  say(text: string): void {
    this.hud.textContent = text;
    this.hud.classList.add("shown");
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.hud.classList.remove("shown"), SHORT_MS);
  }

  #remove(subject: string): void {
    this.#shown.get(subject)?.remove();
    this.#shown.delete(subject);
  }

  #card(subject: string, { title, detail, action, question }: Notice): HTMLElement {
    const text = element("div", { class: "notice-text" }, element("strong", {}, title), element("p", {}, detail));
    const card = element("div", { class: "notice panel", role: "alert" }, icon("warning"), text);
    if (question) text.append(this.#form(subject, question));
    if (action) {
      const button = element("button", { type: "button", class: "button" }, action.title);
      button.onclick = () => {
        this.clear(subject);
        action.run();
      };
      card.append(button);
    }
    const close = element(
      "button",
      { type: "button", class: "icon-button small", "aria-label": "Close" },
      icon("close"),
    );
    close.onclick = () => this.#remove(subject);
    card.append(close);
    return card;
  }

  #form(subject: string, question: NonNullable<Notice["question"]>): HTMLElement {
    const input = element("input", {
      type: question.type,
      autocomplete: "off",
      "aria-label": question.label,
      required: true,
    });
    input.placeholder = question.label;
    const form = element("form", {}, input, element("button", { class: "button" }, question.button));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.clear(subject);
      question.answer(input.value.trim());
    };
    return form;
  }
}
