/** How many pixels are drawn, and how often: as the machine can. */

const STEPS = [0.5, 0.63, 0.8, 1, 1.25, 1.6, 2]; // drawn pixels by CSS pixels, along an edge
const FRAMES_JUDGED = 30; // an even number
const SLOW = 1.3; // times the time that is aimed at
const IN_TIME = 1.1;
const PATIENCE = 8; // judgements in time before more pixels are tried; doubled after each try that failed
const LONGEST_PATIENCE = 128;
const PAUSE = 500; // milliseconds: the page was hidden
const EARLY = 4; // milliseconds that a display frame may come before its time

// Where the processor draws, it finds the faces, too, as like as not: drawing takes no more than its share of the time.
const SHARE = 0.45;
const SHORTEST_INTERVAL = 1000 / 30; // milliseconds
const LONGEST_INTERVAL = 1000 / 12; // below it motion falls apart
const SMOOTHING = 0.2; // of the draw time, by frame

/** Watches the times of drawn frames and steps the resolution. */
export class Resolution {
  /** Drawn pixels by CSS pixels. */
  ratio: number;

  private readonly most: number;
  private readonly software: boolean;
  private interval: number; // that is aimed at; the display's, as far as it is known
  private times: number[] = []; // since the last judgement: of drawing, or from frame to frame with a graphics card
  private drawTime = SHARE * SHORTEST_INTERVAL; // milliseconds, smoothed
  private drawnAt: number | undefined;
  private inTime = 0;
  private patience = PATIENCE;
  private raised = false;

  /** devicePixelRatio: of the display. software: the processor draws. */
  constructor(devicePixelRatio: number, software: boolean) {
    this.software = software;
    this.most = software ? 1 : Math.min(devicePixelRatio, STEPS.at(-1) ?? 1);
    this.ratio = software ? (STEPS[0] ?? this.most) : this.most;
    this.interval = 1000 / 60;
  }

  /** Whether to draw at a display frame at now, milliseconds. */
  due(now: number): boolean {
    return !this.software || this.drawnAt === undefined || now - this.drawnAt > this.softwareInterval - EARLY;
  }

  /** Counts a frame that is drawn at now. drawTime: milliseconds that the processor took for an earlier one, where it
   * draws and that is known. Returns whether the ratio has changed. */
  drawn(now: number, drawTime?: number): boolean {
    const interval = now - (this.drawnAt ?? now);
    this.drawnAt = now;
    if (interval <= 0 || interval > PAUSE) return false;
    if (drawTime !== undefined) this.drawTime += SMOOTHING * (Math.min(drawTime, PAUSE) - this.drawTime);
    const time = this.software ? drawTime : interval;
    if (time === undefined || this.times.push(time) < FRAMES_JUDGED) return false;
    const median = this.times.toSorted((a, b) => a - b)[FRAMES_JUDGED / 2] ?? time;
    this.times = [];
    if (!this.software) this.interval = Math.min(this.interval, median); // a display of 120 a second
    // The next step has up to 1.6 times the pixels, which the processor has to have the time for.
    const aim = this.software ? (SHARE * SHORTEST_INTERVAL) / 1.6 : this.interval;
    if (median > (this.software ? 2 : SLOW) * aim) return this.lower();
    this.inTime = median < IN_TIME * aim ? this.inTime + 1 : 0;
    if (this.raised && this.inTime >= PATIENCE) {
      this.raised = false; // the try held
      this.patience = PATIENCE;
    }
    return this.inTime >= this.patience && this.raise();
  }

  private get softwareInterval(): number {
    return Math.min(Math.max(this.drawTime / SHARE, SHORTEST_INTERVAL), LONGEST_INTERVAL);
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
