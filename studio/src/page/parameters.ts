/** What the page's URL chooses. */

import type { EngineMode } from "../engine/engine.ts";
import { type CharacterName, isCharacterName } from "../people/characters.ts";

const ENGINES: readonly EngineMode[] = ["server", "local"];

export interface Parameters {
  /** The stage alone on transparent ground, for compositing; the camera starts at once. */
  obs: boolean;
  engine: EngineMode;
  /** A part of the camera's name; empty: the browser's choice. */
  camera: string;
  /** Characters of the first person, the second and so on, by turns; empty: as chosen on the page. */
  characters: CharacterName[];
  /** What the URL has among these and is the name of none. */
  unknownCharacters: string[];
  /** Options that the URL sets; undefined where it does not. */
  mirror: boolean | undefined;
  refine: boolean | undefined;
  smoothing: boolean | undefined;
}

/** Reads a query as in `?obs=1&characters=goblin,cat`. What is not understood is left out. usual: where faces are found
 * unless the query says so. */
export function parseParameters(query: string, usual: EngineMode = "server"): Parameters {
  const given = new URLSearchParams(query);
  const names = (given.get("characters") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const unknown = names.filter((name) => name && !isCharacterName(name));
  return {
    obs: flag(given.get("obs")) ?? false,
    engine: ENGINES.find((engine) => engine === given.get("engine")) ?? usual,
    camera: given.get("camera")?.trim() ?? "",
    characters: names.filter(isCharacterName),
    unknownCharacters: [...new Set(unknown)],
    mirror: flag(given.get("mirror")),
    refine: flag(given.get("refine")),
    smoothing: flag(given.get("smoothing")),
  };
}

function flag(text: string | null): boolean | undefined {
  if (text === null) return undefined;
  if (["1", "true", "on", "yes", ""].includes(text.toLowerCase())) return true;
  return ["0", "false", "off", "no"].includes(text.toLowerCase()) ? false : undefined;
}
