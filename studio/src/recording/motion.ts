/** Collects the motion of a recording, up to a limit of memory. */

import type { FrameAnswer } from "../engine/engine.ts";
import type { Seen } from "../people/people.ts";
import { jsonLine } from "./json-lines.ts";
import { liveLinkCsv, type Row, valuesOf } from "./live-link-csv.ts";

/** Characters that are gathered before they go into a Blob, which the browser may keep on disk. */
const BATCH = 2 ** 20;
const BYTES_A_ROW = 62 * 8;

export interface MotionFormats {
  jsonLines: boolean;
  csv: boolean;
}

/** A file of a recording. */
export interface RecordedFile {
  name: string;
  content: Blob;
}

export class Motion {
  readonly #formats: MotionFormats;
  readonly #epoch: number;
  /** Of the day of the first row, so that time code goes on after 24 hours. */
  #midnight: number | undefined;
  #batch: string[] = [];
  #batchSize = 0;
  #blobs: Blob[] = [];
  #blobSize = 0;
  readonly #rows = new Map<number, Row[]>();
  #rowCount = 0;

  /** epoch: milliseconds of Date.now()'s clock at performance.now() 0. */
  constructor(formats: MotionFormats, epoch: number) {
    this.#formats = formats;
    this.#epoch = epoch;
  }

  /** Bytes that it takes, about. */
  get size(): number {
    return this.#blobSize + this.#batchSize + this.#rowCount * BYTES_A_ROW;
  }

  add(answer: FrameAnswer, seen: readonly Seen[]): void {
    if (this.#formats.jsonLines) this.#addLine(jsonLine(answer, seen, this.#epoch));
    if (this.#formats.csv) for (const { person, face } of seen) this.#addRow(person, answer.capturedAt, face);
  }

  /** The files, and the people of whom a CSV was to be saved and would have no row. name: what all names begin with. */
  files(name: string): { files: RecordedFile[]; rowless: number[] } {
    this.#flush();
    const files: RecordedFile[] = [];
    const rowless: number[] = [];
    if (this.#formats.jsonLines)
      files.push({ name: `${name}.jsonl`, content: new Blob(this.#blobs, { type: "application/jsonl" }) });
    for (const [person, rows] of [...this.#rows].sort(([a], [b]) => a - b)) {
      const csv = liveLinkCsv(rows);
      if (csv) files.push({ name: `${name}_person-${person}.csv`, content: new Blob([csv], { type: "text/csv" }) });
      else rowless.push(person);
    }
    return { files, rowless };
  }

  #addLine(line: string): void {
    this.#batch.push(line);
    this.#batchSize += line.length;
    if (this.#batchSize >= BATCH) this.#flush();
  }

  #flush(): void {
    if (!this.#batch.length) return;
    this.#blobs.push(new Blob(this.#batch));
    this.#blobSize += this.#batchSize;
    this.#batch = [];
    this.#batchSize = 0;
  }

  #addRow(person: number, capturedAt: number, face: Seen["face"]): void {
    const rows = this.#rows.get(person) ?? [];
    this.#rows.set(person, rows);
    this.#midnight ??= new Date(this.#epoch + capturedAt).setHours(0, 0, 0, 0);
    const seconds = (this.#epoch + capturedAt - this.#midnight) / 1000;
    const last = rows.at(-1);
    if (last && seconds <= last.seconds) return; // a clock that was put back: time code only rises
    rows.push({ seconds, values: valuesOf(face) });
    this.#rowCount++;
  }
}
