/** Begins: looks whether this browser can show the page, and loads the rest. */

import { missingFeatures } from "./page/support.ts";

const missing = missingFeatures();
if (missing.length) {
  const text = document.querySelector("#boot p");
  if (text)
    text.textContent =
      `This browser lacks ${missing.join(", ")}, which Studio needs. Use Chrome, Edge or Safari of 2023 or newer, or ` +
      "Firefox of 2024 or newer, with hardware acceleration turned on.";
  document.querySelector("#boot")?.classList.add("shown");
} else {
  const { startStudio } = await import("./page/studio.ts");
  await startStudio(document.body, location.search);
  document.querySelector("#boot")?.remove();
}
