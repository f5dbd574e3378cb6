/** Light or dark: what the system says, unless the reader has chosen. */

import { Signal } from "../signal.ts";
import type { ColourScheme } from "../stage/stage.ts";
import { mediaSignal } from "./media.ts";
import type { Theme } from "./preferences.ts";

/** The scheme in force; the page's styles follow it. */
export function followTheme(theme: Signal<Theme>): Signal<ColourScheme> {
  const dark = mediaSignal("(prefers-color-scheme: dark)");
  const resolve = (): ColourScheme => (theme.value === "system" ? (dark.value ? "dark" : "light") : theme.value);
  const scheme = new Signal(resolve());
  const update = () => {
    scheme.value = resolve();
  };
  dark.follow(update);
  theme.follow(update);
  scheme.follow((value) => {
    document.documentElement.dataset.theme = value;
  });
  return scheme;
}
