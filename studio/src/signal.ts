/** A value that tells its readers when it changes. */
export class Signal<T> {
  #value: T;
  readonly #readers = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** Readers are told unless the value is the same one. */
  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const read of [...this.#readers]) read(value);
  }

  /** Calls the reader with the value now, and whenever it changes. Returns what ends that. */
  follow(read: (value: T) => void): () => void {
    this.#readers.add(read);
    read(this.#value);
    return () => this.#readers.delete(read);
  }
}
