import { expect, test, vi } from "vitest";
import { Signal } from "../src/signal.ts";

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
