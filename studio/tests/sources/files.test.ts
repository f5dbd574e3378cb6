import { expect, test } from "vitest";
import { cameraProblem } from "../../src/sources/camera.ts";
import { fileKind } from "../../src/sources/file-kind.ts";
import { captureTime } from "../../src/sources/frame-clock.ts";

test.each([
  ["a.glb", "", "character"],
  ["A.VRM", "application/octet-stream", "character"],
  ["film.mp4", "video/mp4", "video"],
  ["film.MOV", "", "video"],
  ["x", "video/webm", "video"],
  ["p.jpeg", "image/jpeg", "picture"],
  ["p", "image/png", "picture"],
  ["p.svg", "image/svg+xml", undefined],
  ["notes.txt", "text/plain", undefined],
  ["", "", undefined],
])("%s of type %s is of use as %s", (name, type, kind) => {
  expect(fileKind({ name, type })).toBe(kind);
});

test("a camera's time of capture is taken where it can be true", () => {
  expect(captureTime(980, 1000)).toBe(980);
  expect(captureTime(undefined, 1000)).toBe(1000);
  expect(captureTime(1001, 1000)).toBe(1000); // not captured yet
  expect(captureTime(-5, 1000)).toBe(1000); // another clock
});

test("what is wrong with a camera is told in words, with what to do", () => {
  for (const name of [
    "NotAllowedError",
    "NotFoundError",
    "NotReadableError",
    "OverconstrainedError",
    "TypeError",
    "",
  ]) {
    const { title, message } = cameraProblem(name);
    expect(title).toMatch(/camera/);
    expect(message).toMatch(/\.$/);
  }
  const again = ["NotReadableError", "NotFoundError", "NotAllowedError"].map((name) => cameraProblem(name).again);
  expect(again).toEqual(["later", "plugged", undefined]);
});

test("where a camera is not allowed, who has no address bar is told of OBS's option", () => {
  expect(cameraProblem("NotAllowedError").message).toContain("beside the address");
  expect(cameraProblem("NotAllowedError", true).message).toContain("--enable-media-stream");
});
