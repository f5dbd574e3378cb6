/** Which notices are shown: one a subject. One that the reader has closed stays closed until what it tells is over, or
 * is something else. */
export class Subjects {
  /** What is told, or was told and closed. */
  readonly #texts = new Map<string, string>();

  /** Whether this text is news, and has to be shown. */
  tell(subject: string, text: string): boolean {
    if (this.#texts.get(subject) === text) return false;
    this.#texts.set(subject, text);
    return true;
  }

  /** It is over: the same text is news again. */
  clear(subject: string): void {
    this.#texts.delete(subject);
  }
}
