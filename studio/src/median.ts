/** Medians: of some numbers, and of the latest ones. */

/** The median of one or more numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The median of the latest values. */
export class Median {
  readonly #size: number;
  #values: number[] = [];

  constructor(size = 60) {
    this.#size = size;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  clear(): void {
    this.#values = [];
  }

  get count(): number {
    return this.#values.length;
  }

  /** undefined before the first value. */
  get value(): number | undefined {
    return this.#values.length > 0 ? median(this.#values) : undefined;
  }
}
