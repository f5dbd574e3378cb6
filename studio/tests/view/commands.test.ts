import { expect, test, vi } from "vitest";
import { type Command, commandOf, keyText } from "../../src/view/commands.ts";

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
