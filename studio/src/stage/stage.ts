/** The stage: characters, light and camera. The page tells who is there and what their faces do; the stage moves the
 * characters at the display's rate. */

import type { Face } from "mfn-client";

/** Where a character comes from: one of those that come with the page, by its name, or a file of the user's. */
export type CharacterSource = { name: string } | { file: File };

/** A character cannot be used; the message is a sentence for the reader: what is wrong, and what to do. */
export class CharacterError extends Error {
  override readonly name = "CharacterError";
}

/** Nothing can be drawn; the message is a sentence for the reader. */
export class StageError extends Error {
  override readonly name = "StageError";
}

export type ColourScheme = "light" | "dark";

/** What a person's character does at the latest display frame, for overlays, tests and scripts. */
export interface CharacterState {
  person: number;
  /** By ARKit's names, as applied to the character, before mirroring. */
  weights: Readonly<Record<string, number>>;
  /** Degrees, as the API's pose. */
  yaw: number;
  pitch: number;
  roll: number;
  /** performance.now() of the capture of the moment that is shown. */
  capturedAt: number;
  /** performance.now() when it was drawn. */
  drawnAt: number;
}

export interface StageOptions {
  /** Transparent ground, for compositing. */
  transparent: boolean;
}

/** What the page may ask of the stage. stage/three-stage.ts is the one there is. */
export interface Stage {
  /** Has one of the characters that come with the page there before the first person with it comes. */
  prepare(name: string): void;
  /** A person comes, or changes character. Rejects with CharacterError; the person then keeps the one before. colour: a
   * CSS colour that tells people apart. */
  enter(person: number, source: CharacterSource, colour: string): Promise<void>;
  /** The person's character goes off. */
  leave(person: number): void;
  /** What a person's face does. capturedAt, answeredAt: milliseconds on performance.now()'s clock. x: where the head is
   * across the picture, 0 left to 1 right, which orders the characters. */
  drive(person: number, face: Face, x: number, capturedAt: number, answeredAt: number): void;
  /** The person is not seen now: the character comes to rest. */
  rest(person: number): void;
  /** Characters as in a mirror, or as another person would see them. */
  mirror: boolean;
  /** No idle motion and no camera moves. */
  reducedMotion: boolean;
  /** CSS pixels at the edges of the canvas that something lies over: the characters stand beside it. At the left and the
   * upper edge it lies over a corner only: they give way where they reach it. */
  covered: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  /** The ground's colours. */
  colourScheme: ColourScheme;
  readonly states: readonly CharacterState[];
  /** Whose character is nearest to a point of the canvas, CSS pixels from its upper left; undefined where nobody is. */
  personAt(x: number, y: number): number | undefined;
  /** Display frames a second over the last second. */
  readonly frameRate: number;
  /** Called after each display frame, with its time. */
  onframe: ((now: number) => void) | undefined;
  /** Called when nothing can be drawn any longer, and with undefined when drawing goes on. */
  onproblem: ((problem: StageError | undefined) => void) | undefined;
  /** Called once when a person's character fails, and is taken off. */
  onfailure: ((error: CharacterError) => void) | undefined;
  /** The stage as a video track, for recordings. Its pictures keep their size until the track is stopped. */
  capture(framesPerSecond: number): MediaStream;
}
