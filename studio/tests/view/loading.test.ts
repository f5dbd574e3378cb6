import { expect, test } from "vitest";
import { fetches } from "../../src/view/loading.ts";

test("local mode tells what it loads, until it is there; the server has it", () => {
  expect(fetches("local", "connecting")).toMatch(/networks, \d MB/);
  expect(fetches("local", "open")).toBeUndefined();
  expect(fetches("server", "connecting")).toBeUndefined();
});
