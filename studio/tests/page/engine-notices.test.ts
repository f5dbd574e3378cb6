import { expect, test } from "vitest";
import { engineNotice } from "../../src/page/engine-notices.ts";

const WAYS = { key: () => {}, again: () => {} };
const SERVER = { mode: "server", closed: false, keyed: false } as const;
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
  expect(engineNotice(problem(kind), { mode, closed: true, keyed: false }, WAYS).title).toBe(title);
});

test("a way out is offered where the engine does not try again by itself", () => {
  expect(engineNotice(problem("internal"), { mode: "local", closed: true, keyed: false }, WAYS).action?.title).toBe(
    "Try again",
  );
  expect(engineNotice(problem("overloaded"), SERVER, WAYS).action).toBeUndefined();
});

test("a server that asks for a key gets one, and a key that it does not take is told as such", () => {
  const asked = engineNotice(problem("unauthenticated"), { ...SERVER, closed: true }, WAYS);
  const refused = engineNotice(problem("unauthenticated"), { ...SERVER, closed: true, keyed: true }, WAYS);
  expect([asked.title, refused.title]).toEqual(["The server asks for a key", "The server does not take the key"]);
  for (const { question } of [asked, refused]) expect(question?.type).toBe("password");
});
