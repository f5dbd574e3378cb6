import { expect, test } from "vitest";
import { engineNotice } from "../../src/page/engine-notices.ts";

const WAYS = { key: () => {}, again: () => {} };
const problem = (kind: string) => ({
  type: `urn:problem-type:mfn:${kind}`,
  title: "Local mode cannot start",
  status: 503,
  detail: "Because.",
});

test.each([
  ["server", "unavailable", "The server is starting or stopping"],
  ["server", "no-memory", "The server is full"],
  ["local", "unavailable", "Local mode cannot start"],
  ["local", "no-memory", "Local mode cannot start"],
  ["local", "internal", "Local mode cannot start"],
] as const)("in %s mode the problem %s is called: %s", (mode, kind, title) => {
  expect(engineNotice(problem(kind), mode, true, WAYS).title).toBe(title);
});

test("a way out is offered where the engine does not try again by itself", () => {
  expect(engineNotice(problem("internal"), "local", true, WAYS).action?.title).toBe("Try again");
  expect(engineNotice(problem("overloaded"), "server", false, WAYS).action).toBeUndefined();
});

test("a server that asks for a key gets one", () => {
  const asked = engineNotice(problem("unauthenticated"), "server", true, WAYS).question;
  expect(asked?.type).toBe("password");
});
