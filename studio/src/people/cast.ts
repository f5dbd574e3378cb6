/** Brings people and their characters onto the stage: who comes, what their faces do, who leaves. */

import type { FrameAnswer } from "../engine/engine.ts";
import { Signal } from "../signal.ts";
import type { CharacterSource, Stage } from "../stage/stage.ts";
import { CharacterError } from "../stage/stage.ts";
import { type CharacterChoices, titleOf } from "./characters.ts";
import { NeutralFaces, type NeutralState } from "./neutral.ts";
import { colourOf } from "./palette.ts";
import { People, type Seen } from "./people.ts";

/** Milliseconds from one attempt to the next to give a character to somebody who has none. */
export const RETRY_MS = 4000;

/** What the people need of the stage. */
type CastStage = Pick<Stage, "enter" | "leave" | "drive" | "rest" | "mirror">;

/** Who shows the people besides the stage. */
export interface Audience {
  show(person: number, source: CharacterSource): void;
  setSeen(person: number, seen: boolean): void;
  setBusy(person: number, busy: boolean): void;
  remove(person: number): void;
}

/** Whose face is whose in an answer: as the engine tells them, and relative to each person's neutral face. */
export interface Act {
  absolute: readonly Seen[];
  relative: readonly Seen[];
}

export class Cast {
  /** Of all people together: whether a neutral face is being collected, or subtracted. */
  readonly neutral = new Signal<NeutralState>("off");
  /** Whether somebody's character has come onto the stage since the page was opened. */
  readonly present = new Signal(false);
  readonly #stage: CastStage;
  readonly #choices: CharacterChoices;
  readonly #audience: Audience;
  readonly #tell: (error: CharacterError | undefined) => void;
  readonly #people = new People();
  readonly #neutralFaces = new NeutralFaces();
  #seen: readonly Seen[] = [];
  /** Who has no character, since it could not be fetched, and when that is tried again. */
  readonly #bare = new Map<number, number>();

  /** tell: says why a character cannot be used; undefined: a character that could not be used now can. */
  constructor(
    stage: CastStage,
    choices: CharacterChoices,
    audience: Audience,
    tell: (error: CharacterError | undefined) => void,
  ) {
    this.#stage = stage;
    this.#choices = choices;
    this.#audience = audience;
    this.#tell = tell;
  }

  /** Everybody who is seen or awaited. */
  get numbers(): readonly number[] {
    return this.#people.numbers;
  }

  /** Whether a person is in the latest answer. */
  sees(person: number): boolean {
    return this.#seen.some((each) => each.person === person);
  }

  titleOf(person: number): string {
    return titleOf(this.#choices.of(person));
  }

  /** Takes an answer to the stage. Returns whose face is whose. */
  update(answer: FrameAnswer): Act {
    const { answeredAt, capturedAt, faces, image } = answer;
    const { seen, entered, hidden, left } = this.#people.update(faces, image.width, answeredAt, this.#stage.mirror);
    for (const person of left) {
      this.#stage.leave(person);
      this.#audience.remove(person);
      this.#bare.delete(person);
    }
    for (const person of entered) void this.#enter(person, answeredAt);
    for (const [person, due] of this.#bare) if (answeredAt >= due) void this.#enter(person, answeredAt);
    const relative = this.#relative(seen, capturedAt);
    for (const { person, face } of relative) {
      const x = (face.box.x + face.box.width / 2) / image.width;
      this.#stage.drive(person, face, x, capturedAt, answeredAt);
      this.#audience.setSeen(person, true);
    }
    for (const person of hidden) this.#rest(person);
    this.#seen = seen;
    return { absolute: seen, relative };
  }

  /** A person takes another character; where it cannot be used, they keep the one before. Returns whether they took
   * it. */
  async choose(person: number, source: CharacterSource): Promise<boolean> {
    if (!this.#people.numbers.includes(person)) return false; // who left while the file was chosen
    const bare = this.#bare.delete(person);
    if (await this.#wear(person, source)) {
      this.#choices.choose(person, source);
      return true;
    }
    this.#audience.show(person, this.#choices.of(person));
    if (bare) this.#bare.set(person, 0);
    return false;
  }

  /** Takes the next second as each person's neutral face, which is subtracted until it is forgotten or they leave. */
  takeNeutral(): void {
    this.#neutralFaces.calibrate();
  }

  forgetNeutral(): void {
    this.#neutralFaces.reset();
    this.neutral.value = "off";
  }

  /** Nobody is seen now: no picture is looked at. */
  restAll(): void {
    for (const person of this.#people.numbers) this.#rest(person);
    this.#seen = [];
  }

  /** Another source is looked at: people may be anywhere in it. */
  restart(): void {
    this.#people.forgetPlaces();
  }

  /** Faces relative to their neutral ones. capturedAt: milliseconds. */
  #relative(seen: readonly Seen[], capturedAt: number): Seen[] {
    const { numbers } = this.#people;
    this.#neutralFaces.begin(numbers, capturedAt / 1000);
    const states = new Set(numbers.map((person) => this.#neutralFaces.state(person)));
    this.neutral.value = states.has("collecting") ? "collecting" : states.has("on") ? "on" : "off";
    return seen.map(({ person, face }) => ({ person, face: this.#neutralFaces.relative(face, person) }));
  }

  #rest(person: number): void {
    this.#stage.rest(person);
    this.#audience.setSeen(person, false);
  }

  /** Somebody comes with the character of their choice; where it cannot be used, it is tried again. now: milliseconds. */
  async #enter(person: number, now: number): Promise<void> {
    const again = this.#bare.delete(person);
    const source = this.#choices.of(person);
    if (await this.#wear(person, source)) {
      if (again && !this.#bare.size) this.#tell(undefined);
    } else if (this.#people.numbers.includes(person)) this.#bare.set(person, now + RETRY_MS);
  }

  /** Whether the character could be used. */
  async #wear(person: number, source: CharacterSource): Promise<boolean> {
    this.#audience.show(person, source);
    this.#audience.setBusy(person, true);
    try {
      await this.#stage.enter(person, source, colourOf(person));
      this.present.value = true;
      return true;
    } catch (error) {
      this.#tell(error instanceof CharacterError ? error : new CharacterError(String(error)));
      return false;
    } finally {
      this.#audience.setBusy(person, false);
    }
  }
}
