/** Names of recordings, and their way to the reader's disk. */

import type { RecordedFile } from "./motion.ts";

/** What the names of a recording's files begin with, of the local time, as in `studio_2026-11-28_14-05-09`. */
export function recordingName(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `studio_${day}_${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("-")}`;
}

/** Milliseconds after which the browser has surely begun to read a file that it was told to save. */
const SAVE_MS = 60_000;

/** Has the browser save a file. */
export function download({ name, content }: RecordedFile): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), SAVE_MS);
}

/** A size for people, as in `3.2 MB`. */
export function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A duration for people, as in `1:05`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
