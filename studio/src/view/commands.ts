/** What can be done by a key: one table, from which the keyboard, the bar, the menu and the help sheet are made. */

import type { Signal } from "../signal.ts";
import type { IconName } from "./icons.ts";

export interface Command {
  id: string;
  /** As KeyboardEvent.key of a small letter or a sign; shift is told apart for letters. */
  key: string;
  shift?: boolean;
  title: string;
  /** A sentence for the help sheet. */
  help: string;
  icon: IconName;
  /** Whether it is on, for what can be switched. */
  on?: Signal<boolean>;
  /** In words, which of several it is now, for what goes from one to the next. */
  state?: () => string;
  run: () => void;
}

/** The key as it stands on the keyboard. */
export function keyText({ key, shift }: Pick<Command, "key" | "shift">): string {
  return shift ? `Shift ${key.toUpperCase()}` : key.toUpperCase();
}

/** The command of a press of a key; undefined where there is none, or where the reader is typing. */
export function commandOf(event: KeyboardEvent, commands: readonly Command[]): Command | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return undefined;
  const target = event.target as Partial<HTMLElement> | null;
  if (target?.closest?.("input:not([type=radio], [type=checkbox]), select, textarea, dialog, [popover]")) {
    if (event.key !== "?") return undefined;
  }
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isLetter = /^[a-z]$/.test(letter);
  return commands.find(({ key, shift = false }) => key === letter && (!isLetter || shift === event.shiftKey));
}
