import { afterEach, expect, test, vi } from "vitest";
import { keepFile, keptFiles } from "../../src/page/kept-files.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A request that succeeds with a value in the next turn. */
function request(result: unknown) {
  const made: { result: unknown; onsuccess?: () => void; onerror?: () => void } = { result };
  queueMicrotask(() => made.onsuccess?.());
  return made;
}

/** A browser that keeps one file; what it is asked for goes into calls. */
function browser(calls: string[], put: () => unknown = () => request(undefined)): void {
  const files = {
    getAllKeys: () => request([2, 3]),
    getAll: () => request([new File([], "mine.glb"), "no file"]),
    put,
  };
  const database = {
    transaction: (_: string, mode: string) => {
      calls.push(mode);
      return { objectStore: () => files };
    },
    close: () => calls.push("close"),
  };
  vi.stubGlobal("indexedDB", { open: () => request(database) });
}

test("the files that are kept are told by their people, and the connection is closed", async () => {
  const calls: string[] = [];
  browser(calls);
  const kept = await keptFiles();
  expect(kept.map(([person, file]) => [person, file.name])).toEqual([[2, "mine.glb"]]);
  expect(calls).toEqual(["readonly", "close"]);
});

test("a connection is closed, too, where the disk is full", async () => {
  const calls: string[] = [];
  browser(calls, () => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await keepFile(1, new File([], "mine.glb"));
  expect(calls).toEqual(["readwrite", "close"]);
});

test("none are, where the browser has no store or does not answer", async () => {
  vi.stubGlobal("indexedDB", undefined);
  expect(await keptFiles()).toEqual([]);
  vi.useFakeTimers();
  vi.stubGlobal("indexedDB", { open: () => ({}) });
  const kept = keptFiles();
  await vi.advanceTimersByTimeAsync(500);
  expect(await kept).toEqual([]);
});
