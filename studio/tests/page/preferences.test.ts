import { expect, test } from "vitest";
import { DEFAULTS, loadPreferences, type Preferences, savePreferences } from "../../src/page/preferences.ts";
import { memory, throwing } from "../store.ts";

test("what was kept comes back", () => {
  const store = memory();
  const changed: Preferences = {
    ...structuredClone(DEFAULTS),
    smoothing: false,
    overlay: "mesh",
    theme: "dark",
    frameSide: 960,
    camera: "abc",
    cameraUsed: true,
    insetPlace: { corner: "bottom-right", x: 1, y: 2, width: 300 },
    characters: [[2, "cat"]],
    record: { video: false, jsonLines: true, csv: true },
  };
  savePreferences(store, changed);
  expect(loadPreferences(store)).toEqual(changed);
});

test.each([
  null,
  "",
  "{",
  "null",
  "[]",
  '"x"',
  '{"smoothing": "yes", "overlay": 3, "theme": "pink", "frameSide": 1e9, "insetPlace": {"x": 1}, "record": 5}',
  '{"characters": [[1], "x", ["1", "cat"], [1, "dog"]], "cameraLines": null, "camera": {}}',
])("of %s nothing is taken", (text) => {
  expect(loadPreferences(memory(text))).toEqual(DEFAULTS);
});

test("a browser that keeps nothing is no fault", () => {
  expect(loadPreferences(undefined)).toEqual(DEFAULTS);
  expect(loadPreferences(throwing)).toEqual(DEFAULTS);
  expect(() => savePreferences(throwing, DEFAULTS)).not.toThrow();
});
