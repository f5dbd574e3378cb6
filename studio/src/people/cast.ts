/** Brings people and their characters onto the stage: who comes, what their faces do, who leaves. */

import type { FrameAnswer } from "../engine/engine.ts";
import type { CharacterSource, Stage } from "../stage/stage.ts";
import { CharacterError } from "../stage/stage.ts";
import { type CharacterChoices, titleOf } from "./characters.ts";
import { colourOf } from "./palette.ts";
import { People, type Seen } from "./people.ts";

/** Who shows the people besides the stage. */
export interface Audience {
  show(person: number, source: CharacterSource): void;
  setSeen(person: number, seen: boolean): void;
  setBusy(person: number, busy: boolean): void;
  remove(person: number): void;
}

export class Cast {
  readonly #stage: Stage;
  readonly #choices: CharacterChoices;
  readonly #audience: Audience;
  readonly #tell: (error: CharacterError) => void;
  readonly #people = new People();
  #seen: readonly Seen[] = [];

  /** tell: says why a character cannot be used. */
  constructor(stage: Stage, choices: CharacterChoices, audience: Audience, tell: (error: CharacterError) => void) {
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
  update(answer: FrameAnswer): readonly Seen[] {
    const { seen, entered, hidden, left } = this.#people.update(answer.faces, answer.image.width, answer.answeredAt);
    for (const person of left) {
      this.#stage.leave(person);
      this.#audience.remove(person);
    }
    for (const person of entered) void this.#enter(person, this.#choices.of(person));
    for (const { person, face } of seen) {
      const x = (face.box.x + face.box.width / 2) / answer.image.width;
      this.#stage.drive(person, face, x, answer.capturedAt, answer.answeredAt);
      this.#audience.setSeen(person, true);
    }
    for (const person of hidden) this.#rest(person);
    this.#seen = seen;
    return seen;
  }

  /** A person takes another character; where it cannot be used, they keep the one before. */
  async choose(person: number, source: CharacterSource): Promise<void> {
    const before = this.#choices.of(person);
    if (!this.#people.numbers.includes(person)) return; // who left while the file was chosen
    if (await this.#enter(person, source)) this.#choices.choose(person, source);
    else this.#audience.show(person, before);
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

  #rest(person: number): void {
    this.#stage.rest(person);
    this.#audience.setSeen(person, false);
  }

  /** Whether the character could be used. */
  async #enter(person: number, source: CharacterSource): Promise<boolean> {
    this.#audience.show(person, source);
    this.#audience.setBusy(person, true);
    try {
      await this.#stage.enter(person, source, colourOf(person));
      return true;
    } catch (error) {
      this.#tell(error instanceof CharacterError ? error : new CharacterError(String(error)));
      return false;
    } finally {
      this.#audience.setBusy(person, false);
    }
  }
}
