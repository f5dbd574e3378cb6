/** Begins: looks whether this browser can show the page, and loads the rest. */

import { BROWSERS } from "./browsers.ts";
import { missingFeatures } from "./page/support.ts";

/** Says why there is no page. */
function tell(sentence: string): void {
  const text = document.querySelector("#boot p");
  if (text) text.textContent = sentence;
  document.querySelector("#boot")?.classList.add("shown");
}

const missing = missingFeatures();
if (missing.length) {
  tell(
    `This browser lacks ${missing.join(", ")}, which Studio needs. Use ${BROWSERS}, with ` +
      "hardware acceleration turned on.",
  );
} else {
  try {
    const { startStudio } = await import("./page/studio.ts");
    await startStudio(document.body, location.search);
    document.querySelector("#boot")?.remove();
  } catch (error) {
    const known = error instanceof Error && error.name === "StageError";
    tell(known ? error.message : "The page could not be loaded whole. Is the server there? Reload the page.");
    throw error;
  }
}
