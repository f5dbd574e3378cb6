/** What a living head does on its own: it breathes, its eyes dart, and they blink while the person is not seen. */

const BREATH_MS = 4200;
const BREATH_DEGREES = 0.7; // of the neck's pitch
const BLINK_EVERY_MS = [2400, 5600] as const;
const BLINK_CLOSE_MS = 80;
const BLINK_OPEN_MS = 170;
const DART_EVERY_MS = [500, 2200] as const;
const DART_DEGREES = { yaw: 2.4, pitch: 1.2 };
const DART_SETTLES_MS = 18; // time constant: an eye is there within three display frames

export class Idle {
  /** Of the neck, in degrees. */
  pitch = 0;
  /** How far the lids are closed, 0 to 1. */
  blink = 0;
  /** Degrees that the eyes look aside by. */
  eyes = { yaw: 0, pitch: 0 };

  private readonly phase: number;
  private readonly random: () => number;
  private blinkAt = Number.NEGATIVE_INFINITY;
  private dartAt = Number.NEGATIVE_INFINITY;
  private dart = { yaw: 0, pitch: 0 };
  private updatedAt = 0;

  constructor(random: () => number = Math.random) {
    this.random = random;
    this.phase = random();
  }

  /** now: milliseconds. resting: the person is not seen. gazeKnown: the eyes are driven, and do not dart. */
  update(now: number, resting: boolean, gazeKnown: boolean): void {
    const breath = Math.sin(2 * Math.PI * (now / BREATH_MS + this.phase));
    this.pitch = -BREATH_DEGREES * breath;

    const sinceBlink = now - this.blinkAt;
    if (sinceBlink > BLINK_CLOSE_MS + BLINK_OPEN_MS && (!resting || now >= this.nextBlink)) {
      this.blink = 0;
      if (resting && this.nextBlink > 0) this.blinkAt = now;
      this.nextBlink = resting ? now + this.between(BLINK_EVERY_MS) : 0;
    } else if (sinceBlink >= 0) {
      const closing = sinceBlink / BLINK_CLOSE_MS;
      this.blink = Math.max(closing < 1 ? closing : 1 - (sinceBlink - BLINK_CLOSE_MS) / BLINK_OPEN_MS, 0);
    }

    if (now >= this.dartAt) {
      this.dartAt = now + this.between(DART_EVERY_MS);
      const aside = () => this.random() + this.random() - 1 || 0; // most are small
      this.dart = { yaw: DART_DEGREES.yaw * aside(), pitch: DART_DEGREES.pitch * aside() };
    }
    const settled = 1 - Math.exp(-Math.max(now - this.updatedAt, 0) / DART_SETTLES_MS);
    this.updatedAt = now;
    this.eyes.yaw += ((gazeKnown ? 0 : this.dart.yaw) - this.eyes.yaw) * settled;
    this.eyes.pitch += ((gazeKnown ? 0 : this.dart.pitch) - this.eyes.pitch) * settled;
  }

  private nextBlink = 0; // 0 while the person is seen

  private between([least, most]: readonly [number, number]): number {
    return least + (most - least) * this.random();
  }
}
