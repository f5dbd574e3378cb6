import { expect, test, vi } from "vitest";
import { type Command, commandOf, keyText } from "../../src/page/commands.ts";
import { parseParameters } from "../../src/page/parameters.ts";
import { DEFAULTS } from "../../src/page/preferences.ts";
import { createSettings } from "../../src/page/settings.ts";
import { Signal } from "../../src/signal.ts";

const command = (key: string, shift?: boolean): Command => ({
  id: key,
  key,
  ...(shift ? { shift } : {}),
  title: "",
  help: "",
  icon: "help",
  run: vi.fn(),
});
const commands = [command("n"), command("n", true), command("?"), command("+")];
const press = (key: string, given: Partial<KeyboardEvent> = {}) =>
  ({ key, shiftKey: false, target: null, ...given }) as KeyboardEvent;

test("letters are told apart by shift, signs are not", () => {
  expect(commandOf(press("n"), commands)).toBe(commands[0]);
  expect(commandOf(press("N", { shiftKey: true }), commands)).toBe(commands[1]);
  expect(commandOf(press("?", { shiftKey: true }), commands)).toBe(commands[2]);
  expect(commandOf(press("+", { shiftKey: true }), commands)).toBe(commands[3]);
});

test.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }])(
  "%o is the browser's",
  (given) => {
    expect(commandOf(press("n", given), commands)).toBeUndefined();
  },
);

test("what is typed into a field is no command", () => {
  const field = { closest: () => ({}) } as unknown as HTMLElement;
  expect(commandOf(press("n", { target: field }), commands)).toBeUndefined();
});

test("keys are written as they stand on the keyboard", () => {
  expect(keyText({ key: "n" })).toBe("N");
  expect(keyText({ key: "n", shift: true })).toBe("Shift N");
});

test("a signal tells changes only, until its reader has had enough", () => {
  const signal = new Signal(1);
  const read = vi.fn();
  const stop = signal.follow(read);
  signal.value = 1;
  signal.value = 2;
  stop();
  signal.value = 3;
  expect(read.mock.calls).toEqual([[1], [2]]);
});

test("the address goes before what was kept, and changes are kept", () => {
  const kept: Record<string, string> = { "mfn-studio": JSON.stringify({ ...DEFAULTS, mirror: true, bars: true }) };
  const store = {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, text: string) => void Object.assign(kept, { [key]: text }),
  };
  const settings = createSettings(store, parseParameters("?mirror=0"));
  expect([settings.mirror.value, settings.bars.value]).toEqual([false, true]);
  settings.theme.value = "dark";
  expect(JSON.parse(kept["mfn-studio"] ?? "")).toMatchObject({ theme: "dark", bars: true });
});
