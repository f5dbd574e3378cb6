/** What the reader has chosen, kept by the browser from visit to visit. */

import { type CharacterName, isCharacterName } from "../people/characters.ts";
import type { InsetPlace } from "../view/inset-place.ts";
import { OVERLAYS, type Overlay } from "../view/overlay.ts";
import { readText, type Store, writeText } from "./store.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** Pixels of a frame's longer side, which the engine is sent. */
export const FRAME_SIDES = [320, 480, 640, 960, 1280] as const;

export interface Preferences {
  smoothing: boolean;
  refine: boolean;
  mirror: boolean;
  inset: boolean;
  insetPlace: InsetPlace;
  bars: boolean;
  figures: boolean;
  overlay: Overlay;
  theme: Theme;
  frameSide: number;
  /** The camera's deviceId; empty: the browser's choice. */
  camera: string;
  /** Whether a camera was used at the latest visit: it is opened again where the browser need not ask. */
  cameraUsed: boolean;
  /** Height of the camera's picture in lines. */
  cameraLines: number;
  characters: [number, CharacterName][];
  /** What a recording holds. */
  record: { video: boolean; jsonLines: boolean; csv: boolean };
}

export const DEFAULTS: Preferences = {
  smoothing: true,
  refine: true,
  mirror: true,
  inset: true,
  insetPlace: { corner: "top-left", x: 16, y: 16, width: 0 },
  bars: false,
  figures: false,
  overlay: "boxes",
  theme: "system",
  frameSide: 640,
  camera: "",
  cameraUsed: false,
  cameraLines: 480,
  characters: [],
  record: { video: true, jsonLines: false, csv: false },
};

const KEY = "mfn-studio";

/** The kept preferences; defaults for what is missing, or of another type than it should be. */
export function loadPreferences(store: Store | undefined): Preferences {
  try {
    return checked(JSON.parse(readText(store, KEY) ?? "{}"));
  } catch {
    return structuredClone(DEFAULTS); // what was kept is no JSON
  }
}

/** Keeps the preferences; where the browser refuses, they hold for this visit only. */
export function savePreferences(store: Store | undefined, preferences: Preferences): void {
  writeText(store, KEY, JSON.stringify(preferences));
}

function checked(kept: unknown): Preferences {
  const result = structuredClone(DEFAULTS);
  const given = (typeof kept === "object" && kept !== null ? kept : {}) as Record<string, unknown>;
  for (const name of ["smoothing", "refine", "mirror", "inset", "bars", "figures", "cameraUsed"] as const)
    if (typeof given[name] === "boolean") result[name] = given[name];
  result.overlay = OVERLAYS.find((overlay) => overlay === given.overlay) ?? result.overlay;
  result.theme = THEMES.find((theme) => theme === given.theme) ?? result.theme;
  result.frameSide = FRAME_SIDES.find((side) => side === given.frameSide) ?? result.frameSide;
  if (typeof given.camera === "string") result.camera = given.camera;
  if (finite(given.cameraLines)) result.cameraLines = given.cameraLines;
  const place = given.insetPlace as Partial<InsetPlace> | undefined;
  if (
    finite(place?.x) &&
    finite(place.y) &&
    finite(place.width) &&
    /^(top|bottom)-(left|right)$/.test(`${place.corner}`)
  )
    result.insetPlace = place as InsetPlace;
  if (Array.isArray(given.characters))
    result.characters = given.characters.filter(
      (pair): pair is [number, CharacterName] =>
        Array.isArray(pair) && Number.isInteger(pair[0]) && typeof pair[1] === "string" && isCharacterName(pair[1]),
    );
  const record = given.record as Record<string, unknown> | undefined;
  for (const name of ["video", "jsonLines", "csv"] as const)
    if (typeof record?.[name] === "boolean") result.record[name] = record[name];
  return result;
}

function finite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
