/** Light or dark: what the system says, unless the reader has chosen. */

import { Signal } from "../signal.ts";
import type { Theme } from "./preferences.ts";

export type ColourScheme = "light" | "dark";

/** The scheme in force; the page's styles follow it. */
export function followTheme(theme: Signal<Theme>): Signal<ColourScheme> {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const resolve = (): ColourScheme => (theme.value === "system" ? (dark.matches ? "dark" : "light") : theme.value);
  const scheme = new Signal(resolve());
  const update = () => {
    scheme.value = resolve();
  };
  dark.addEventListener("change", update);
  theme.follow(update);
  scheme.follow((value) => {
    document.documentElement.dataset.theme = value;
  });
  return scheme;
}
