import { expect, test } from "vitest";
import { parseParameters } from "../../src/page/parameters.ts";
import { DEFAULTS } from "../../src/page/preferences.ts";
import { createSettings } from "../../src/page/settings.ts";
import { memory, throwing } from "../store.ts";

const kept = (store: { text: string | null }) => JSON.parse(store.text ?? "{}");

test("what was kept comes back, and changes are kept", () => {
  const store = memory(JSON.stringify({ ...DEFAULTS, bars: true }));
  const settings = createSettings(store, parseParameters(""));
  expect(settings.bars.value).toBe(true);
  settings.theme.value = "dark";
  expect(kept(store)).toEqual({ ...DEFAULTS, bars: true, theme: "dark" });
});

test("the address goes before what was kept, and does not take its place", () => {
  const store = memory(JSON.stringify({ ...DEFAULTS, mirror: true, refine: true }));
  const settings = createSettings(store, parseParameters("?mirror=0&refine=0&smoothing=0"));
  expect([settings.mirror.value, settings.refine.value, settings.smoothing.value]).toEqual([false, false, false]);
  settings.theme.value = "dark"; // what is kept is written
  expect(kept(store)).toEqual({ ...DEFAULTS, mirror: true, refine: true, theme: "dark" });
});

test("what the reader chooses in place of the address's is kept", () => {
  const store = memory(JSON.stringify({ ...DEFAULTS, mirror: false }));
  const settings = createSettings(store, parseParameters("?mirror=0"));
  settings.mirror.value = true;
  expect(kept(store)).toMatchObject({ mirror: true });
});

test("nothing is written before something is chosen", () => {
  const store = memory();
  createSettings(store, parseParameters("?mirror=0"));
  expect(store.text).toBeNull();
});

test("choices hold where the browser keeps nothing", () => {
  for (const store of [undefined, throwing]) {
    const settings = createSettings(store, parseParameters(""));
    settings.bars.value = true;
    expect(settings.bars.value).toBe(true);
  }
});
