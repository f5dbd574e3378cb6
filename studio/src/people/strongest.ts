/** The strongest coefficients of a face, in an order that can be read: it changes rarely. */

export interface Coefficient {
  name: string;
  value: number;
}

/** What a coefficient must exceed one that is shown by, to take its place. */
const ADVANTAGE = 0.08;

/** Keeps which names are shown, from answer to answer. */
export class Strongest {
  readonly #count: number;
  #shown: string[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  /** The strongest of these weights, with their values. */
  update(weights: Readonly<Record<string, number>>): Coefficient[] {
    const value = (name: string) => weights[name] ?? 0;
    const ranked = Object.keys(weights).sort((a, b) => value(b) - value(a));
    this.#shown = this.#shown.filter((name) => name in weights);
    for (const name of ranked.slice(0, this.#count)) {
      if (this.#shown.includes(name)) continue;
      if (this.#shown.length < this.#count) {
        this.#shown.push(name);
        continue;
      }
      const weakest = this.#shown.reduce((a, b) => (value(b) < value(a) ? b : a));
      if (value(name) > value(weakest) + ADVANTAGE) this.#shown[this.#shown.indexOf(weakest)] = name;
    }
    this.#settle(value);
    return this.#shown.map((name) => ({ name, value: value(name) }));
  }

  /** Clearly stronger ones rise by a row. */
  #settle(value: (name: string) => number): void {
    for (let i = this.#shown.length - 1; i > 0; i--) {
      const [above = "", name = ""] = [this.#shown[i - 1], this.#shown[i]];
      if (value(name) > value(above) + ADVANTAGE) [this.#shown[i - 1], this.#shown[i]] = [name, above];
    }
  }
}
