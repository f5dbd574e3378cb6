/** How many pixels are drawn, and how often: as the machine can. */

const STEPS = [0.5, 0.63, 0.8, 1, 1.25, 1.6, 2]; // drawn pixels by CSS pixels, along an edge
const FRAMES_JUDGED = 30;
const SLOW = 1.3; // times the interval that is aimed at
const IN_TIME = 1.1;
const PATIENCE = 8; // judgements in time before more pixels are tried; doubled after each try that failed
const LONGEST_PATIENCE = 128;
const PAUSE = 500; // milliseconds: the page was hidden
const SOFTWARE_INTERVAL = 1000 / 30; // the processor that draws has other work, too
const EARLY = 4; // milliseconds that a display frame may come before its time

/** Watches the times between drawn frames and steps the resolution. */
export class Resolution {
  /** Drawn pixels by CSS pixels. */
  ratio: number;

  private readonly most: number;
  private readonly software: boolean;
  private interval: number; // that is aimed at; the display's, as far as it is known
  private intervals: number[] = [];
  private drawnAt: number | undefined;
  private inTime = 0;
  private patience = PATIENCE;
  private raised = false;

  /** devicePixelRatio: of the display. software: the processor draws. */
  constructor(devicePixelRatio: number, software: boolean) {
    this.software = software;
    this.most = software ? 1 : Math.min(devicePixelRatio, STEPS.at(-1) ?? 1);
    this.ratio = this.most;
    this.interval = software ? SOFTWARE_INTERVAL : 1000 / 60;
  }

  /** Whether to draw at a display frame at now, milliseconds. */
  due(now: number): boolean {
    return !this.software || this.drawnAt === undefined || now - this.drawnAt > SOFTWARE_INTERVAL - EARLY;
  }

  /** Counts a frame that is drawn at now. Returns whether the ratio has changed. */
  drawn(now: number): boolean {
    const interval = now - (this.drawnAt ?? now);
    this.drawnAt = now;
    if (interval <= 0 || interval > PAUSE) return false;
    this.intervals.push(interval);
    if (this.intervals.length < FRAMES_JUDGED) return false;
    const sorted = this.intervals.toSorted((a, b) => a - b);
    this.intervals = [];
    const median = sorted[FRAMES_JUDGED / 2] ?? this.interval;
    if (!this.software) this.interval = Math.min(this.interval, median); // a display of 120 a second
    if (median > SLOW * this.interval) return this.lower();
    this.inTime = median < IN_TIME * this.interval ? this.inTime + 1 : 0;
    if (this.raised && this.inTime >= PATIENCE) {
      this.raised = false; // the try held
      this.patience = PATIENCE;
    }
    return this.inTime >= this.patience && this.raise();
  }

  private lower(): boolean {
    if (this.raised) this.patience = Math.min(2 * this.patience, LONGEST_PATIENCE);
    this.raised = false;
    this.inTime = 0;
    return this.step(STEPS.findLast((step) => step < this.ratio));
  }

  private raise(): boolean {
    this.inTime = 0;
    this.raised = true;
    return this.step(STEPS.find((step) => step > this.ratio) ?? this.most);
  }

  private step(ratio: number | undefined): boolean {
    const before = this.ratio;
    this.ratio = Math.min(ratio ?? before, this.most);
    return this.ratio !== before;
  }
}
