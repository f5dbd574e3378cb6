/** How many pixels are drawn: as many as the machine draws in time. */

const STEPS = [0.4, 0.5, 0.63, 0.8, 1, 1.25, 1.6, 2]; // drawn pixels by CSS pixels, along an edge
const FRAMES_JUDGED = 40;
const SLOW = 1.35; // times the display's interval
const IN_TIME = 1.12;
const PATIENCE = 8; // rounds in time before more pixels are tried, doubled after each try that failed
const LONGEST_PATIENCE = 128;

/** Watches the times between display frames and steps the resolution. */
export class Resolution {
  /** Drawn pixels by CSS pixels. */
  ratio: number;

  private readonly most: number;
  private intervals: number[] = [];
  private before: number | undefined;
  private shortest = 1000 / 60; // the display's interval, as far as it is known
  private inTime = 0;
  private patience = PATIENCE;
  private raised = false;

  /** devicePixelRatio: of the display. first: what to begin with. */
  constructor(devicePixelRatio: number, first = devicePixelRatio) {
    this.most = Math.min(devicePixelRatio, STEPS.at(-1) ?? 2);
    this.ratio = Math.min(first, this.most);
  }

  /** Counts a display frame at now, milliseconds. Returns whether the ratio has changed. */
  frame(now: number): boolean {
    const interval = now - (this.before ?? now);
    this.before = now;
    if (interval <= 0 || interval > 500) return false; // the page was hidden
    this.intervals.push(interval);
    if (this.intervals.length < FRAMES_JUDGED) return false;
    const sorted = this.intervals.toSorted((a, b) => a - b);
    this.intervals = [];
    const median = sorted[FRAMES_JUDGED / 2] ?? this.shortest;
    this.shortest = Math.min(this.shortest, Math.max(sorted[2] ?? median, 4));
    if (median > SLOW * this.shortest) return this.lower();
    this.inTime = median < IN_TIME * this.shortest ? this.inTime + 1 : 0;
    if (this.inTime >= this.patience) return this.raise();
    return false;
  }

  private lower(): boolean {
    if (this.raised) this.patience = Math.min(2 * this.patience, LONGEST_PATIENCE);
    this.raised = false;
    this.inTime = 0;
    return this.step(STEPS.findLast((step) => step < this.ratio - 1e-6));
  }

  private raise(): boolean {
    this.inTime = 0;
    this.raised = true;
    return this.step(STEPS.find((step) => step > this.ratio + 1e-6) ?? this.most);
  }

  private step(ratio: number | undefined): boolean {
    const next = Math.min(ratio ?? this.ratio, this.most);
    const changed = next !== this.ratio;
    this.ratio = next;
    return changed;
  }
}
