/** Which character each person has. */

import type { CharacterSource } from "../stage/stage.ts";

/** The characters that come with the page, as their files are named. */
export const CHARACTERS = ["human", "goblin", "cat", "alien", "robot"] as const;
export type CharacterName = (typeof CHARACTERS)[number];

export function isCharacterName(name: string): name is CharacterName {
  return (CHARACTERS as readonly string[]).includes(name);
}

/** Choices by the number of the person. Who has not chosen gets one of `order` by turns. */
export class CharacterChoices {
  readonly #order: readonly CharacterName[];
  readonly #chosen = new Map<number, CharacterSource>();

  constructor(order: readonly CharacterName[] = CHARACTERS, chosen: readonly [number, CharacterName][] = []) {
    this.#order = order.length ? order : CHARACTERS;
    for (const [person, name] of chosen) this.#chosen.set(person, { name });
  }

  of(person: number): CharacterSource {
    return this.#chosen.get(person) ?? { name: this.#order[(person - 1) % this.#order.length] ?? CHARACTERS[0] };
  }

  choose(person: number, source: CharacterSource): void {
    this.#chosen.set(person, source);
  }
}

/** The choices of characters that come with the page, to be kept for the next visit, once a person has chosen. Files are
 * kept elsewhere. */
export function keptChoices(
  before: readonly [number, CharacterName][],
  person: number,
  source: CharacterSource,
): [number, CharacterName][] {
  const others = before.filter(([other]) => other !== person);
  return "name" in source && isCharacterName(source.name) ? [...others, [person, source.name]] : others;
}

/** What a character is called on the page. */
export function titleOf(source: CharacterSource): string {
  if ("file" in source) return source.file.name.replace(/\.(glb|vrm)$/i, "");
  return source.name.charAt(0).toUpperCase() + source.name.slice(1);
}
