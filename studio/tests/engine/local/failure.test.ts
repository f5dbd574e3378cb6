import { expect, test } from "vitest";
import { LocalError, problemOf } from "../../../src/engine/local/failure.ts";

test("a failure with a sentence of its own keeps it", () => {
  expect(problemOf(new LocalError("unavailable", "The file is missing."), "Loading")).toEqual({
    type: "urn:problem-type:mfn:unavailable",
    title: "Local mode cannot start",
    status: 503,
    detail: "The file is missing.",
  });
});

test.each(["std::bad_alloc", "WebAssembly.Memory(): out of memory", "Array buffer allocation failed"])(
  "%s is a lack of memory",
  (message) => {
    const problem = problemOf(new RangeError(message), "Looking at a frame");
    expect(problem.type).toBe("urn:problem-type:mfn:no-memory");
    expect(problem.detail).toMatch(/^Looking at a frame failed, since the browser has no memory left\./);
  },
);

test.each([new Error("index\n  out of bounds"), "index out of bounds"])(
  "anything else is told on one line",
  (error) => {
    const { status, detail } = problemOf(error, "Looking at a frame");
    expect(status).toBe(500);
    expect(detail).toBe("Looking at a frame failed: index out of bounds. Reload the page, or use the server.");
  },
);
