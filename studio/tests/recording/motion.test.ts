import { expect, test } from "vitest";
import type { FrameAnswer } from "../../src/engine/engine.ts";
import { durationText, recordingName, sizeText } from "../../src/recording/files.ts";
import { Motion } from "../../src/recording/motion.ts";
import { face } from "../face.ts";

const answer = (capturedAt: number): FrameAnswer => ({
  faces: [face(7, 0), face(8, 300)],
  image: { width: 640, height: 480 },
  capturedAt,
  answeredAt: capturedAt + 30,
  timing: { decode: 1.5 },
  dropped: 0,
  restarted: false,
});
const seen = (of: FrameAnswer) => of.faces.map((each, i) => ({ person: 2 - i, face: each }));
const EPOCH = Date.UTC(2026, 10, 28, 12, 0, 0);

test("JSON lines are the answers as the API gives them, with the time and the people", async () => {
  const motion = new Motion({ jsonLines: true, csv: false }, EPOCH);
  for (const capturedAt of [250, 283.5]) motion.add(answer(capturedAt), seen(answer(capturedAt)));
  const [file, ...others] = motion.files("take").files;
  expect([file?.name, others]).toEqual(["take.jsonl", []]);
  const lines = ((await file?.content.text()) ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatchObject({
    time: "2026-11-28T12:00:00.283Z",
    timestamp_us: 283_500,
    image: { width: 640, height: 480 },
    timing_ms: { decode: 1.5 },
    faces: [
      { person: 2, track_id: 7, score: 0.9 },
      { person: 1, track_id: 8 },
    ],
  });
});

test("each person has a file of their own", async () => {
  const motion = new Motion({ jsonLines: false, csv: true }, EPOCH);
  for (let i = 0; i < 10; i++) motion.add(answer(i * 50), seen(answer(i * 50)));
  const { files, rowless } = motion.files("take");
  expect(rowless).toEqual([]);
  expect(files.map(({ name }) => name)).toEqual(["take_person-1.csv", "take_person-2.csv"]);
  const lines = ((await files[0]?.content.text()) ?? "").trimEnd().split("\n");
  expect(lines).toHaveLength(1 + 28); // a header, and 0.45 s at 60 rows a second, both ends included
});

test("its size is told, so that a recording can end before memory does", () => {
  const motion = new Motion({ jsonLines: true, csv: true }, EPOCH);
  expect(motion.size).toBe(0);
  let before = 0;
  for (let i = 0; i < 1000; i++) {
    motion.add(answer(i * 33), seen(answer(i * 33)));
    expect(motion.size).toBeGreaterThan(before);
    before = motion.size;
  }
});

test("names and numbers are for people", () => {
  expect(recordingName(new Date(2026, 10, 8, 4, 5, 6))).toBe("studio_2026-11-08_04-05-06");
  expect([sizeText(512_400), sizeText(3_240_000)]).toEqual(["512 kB", "3.2 MB"]);
  expect([durationText(0), durationText(65_000), durationText(605_500)]).toEqual(["0:00", "1:05", "10:05"]);
});
