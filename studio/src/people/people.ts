/** Who is who: ties the faces of each answer to people, who keep their number over gaps of up to two seconds.
 *
 * A track of the engine stays with a face as long as it is seen, and a little longer. When the face was away for more,
 * or the stream began anew, the same person comes back with a new track. They are known then by where they were. */

import type { Face } from "mfn-client";

/** Milliseconds for which somebody who is not seen keeps the number. */
export const KEEP_MS = 2000;

/** Widths of the face: nobody moves further while out of sight, or it is somebody else. */
const REACH = 1.5;
/** Widths that a difference of one standard deviation in each coefficient of identity counts for. */
const IDENTITY_WEIGHT = 0.5;
/** Factor between the widths of two boxes of one person at most. */
const SIZE_RATIO = 2;

/** A face, and whose it is. */
export interface Seen {
  person: number;
  face: Face;
}

/** What an answer says about people. */
export interface Update {
  /** Everybody who is seen, in the order of the faces. */
  seen: Seen[];
  /** Who comes with this answer. */
  entered: number[];
  /** Who was seen in the answer before, and is not in this one. */
  hidden: number[];
  /** Who was out of sight for too long. */
  left: number[];
}

interface Person {
  number: number;
  track: number | undefined;
  /** Where they were last; undefined where nothing is known about that. */
  last: Look | undefined;
  /** When they were first not seen, milliseconds of the answers' clock; undefined while they are seen. */
  missingSince: number | undefined;
}

export class People {
  #people: Person[] = [];

  /** Numbers of all who are seen or awaited, in order. */
  get numbers(): number[] {
    return this.#people.map(({ number }) => number).sort((a, b) => a - b);
  }

  /** Takes an answer's faces. width: pixels across the frame, whose size may change. now: milliseconds of any clock
   * that goes on while answers come. mirror: whether the picture is shown as in a mirror: who comes is numbered from the
   * left of what is shown. */
  update(faces: readonly Face[], width: number, now: number, mirror = false): Update {
    const before = new Set(this.#people.filter((person) => person.missingSince === undefined));
    const fromLeft = faces.toSorted((a, b) => (middle(a) - middle(b)) * (mirror ? -1 : 1));
    const owners = this.#owners(fromLeft, width);
    const seen: Seen[] = [];
    const entered: number[] = [];
    for (const face of fromLeft) {
      if (owners.has(face)) continue;
      const number = this.#freeNumber();
      const person = { number, track: undefined, last: undefined, missingSince: undefined };
      this.#people.push(person);
      owners.set(face, person);
      entered.push(number);
    }
    for (const face of faces) {
      const person = owners.get(face);
      if (!person) continue;
      Object.assign(person, { track: face.track_id, last: lookOf(face, width), missingSince: undefined });
      before.delete(person);
      seen.push({ person: person.number, face });
    }
    const here = new Set(seen.map(({ person }) => person));
    for (const person of this.#people) if (!here.has(person.number)) person.missingSince ??= now;
    const gone = this.#people.filter(({ missingSince }) => missingSince !== undefined && now - missingSince > KEEP_MS);
    this.#people = this.#people.filter((person) => !gone.includes(person));
    const left = gone.map(({ number }) => number);
    const hidden = [...before].map(({ number }) => number).filter((number) => !left.includes(number));
    return { seen, entered, hidden, left };
  }

  /** Another picture is looked at: whoever is in it takes the numbers that there are, in order. */
  forgetPlaces(): void {
    for (const person of this.#people) Object.assign(person, { track: undefined, last: undefined });
  }

  /** The person of each face whose person is known. faces: from the left of what is shown. */
  #owners(faces: readonly Face[], width: number): Map<Face, Person> {
    const owners = new Map<Face, Person>();
    const unknown = new Set(faces);
    const waiting = new Set(this.#people);
    const give = (face: Face, person: Person) => {
      owners.set(face, person);
      unknown.delete(face);
      waiting.delete(person);
    };
    for (const face of faces) {
      const person = this.#people.find(({ track }) => track !== undefined && track === face.track_id);
      if (person && waiting.has(person)) give(face, person);
    }
    const pairs = [...unknown].flatMap((face) =>
      [...waiting].map((person) => ({
        face,
        person,
        cost: person.last ? distance(person.last, lookOf(face, width)) : Infinity,
      })),
    );
    for (const { face, person, cost } of pairs.sort((a, b) => a.cost - b.cost))
      if (cost <= REACH && unknown.has(face) && waiting.has(person)) give(face, person);
    const unplaced = [...waiting].filter(({ last }) => !last).sort((a, b) => a.number - b.number);
    for (const face of unknown) {
      const person = unplaced.shift();
      if (!person) break;
      give(face, person);
    }
    return owners;
  }

  /** The least number that nobody has. */
  #freeNumber(): number {
    const taken = new Set(this.#people.map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    return number;
  }
}

/** Where a face is, in widths of the frame, and what it is like. */
interface Look {
  x: number;
  y: number;
  width: number;
  identity: readonly number[] | null | undefined;
}

/** Pixels from the left of the picture. */
function middle({ box }: Face): number {
  return box.x + box.width / 2;
}

function lookOf(face: Face, width: number): Look {
  const { box, identity } = face;
  return {
    x: middle(face) / width,
    y: (box.y + box.height / 2) / width,
    width: box.width / width,
    identity,
  };
}

/** How far a face is from another in widths of the face, with what tells their identities apart; Infinity where the
 * sizes do not fit. */
function distance(a: Look, b: Look): number {
  const width = Math.max(a.width, b.width);
  if (width > SIZE_RATIO * Math.min(a.width, b.width)) return Infinity;
  return Math.hypot(a.x - b.x, a.y - b.y) / width + IDENTITY_WEIGHT * difference(a.identity, b.identity);
}

/** Root mean square difference of two identities, standard deviations; 0 where one is not told. */
function difference(a: Look["identity"], b: Look["identity"]): number {
  if (!a || !b || !a.length) return 0;
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? value)) ** 2, 0) / a.length);
}
