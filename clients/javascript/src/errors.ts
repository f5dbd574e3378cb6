/** What a call fails with. Both have a sentence for the reader as their message. */

import type { ProblemDocument, ProblemKind } from "./generated.ts";

const PREFIX = "urn:problem-type:mfn:";

/** The service, or a proxy before it, says why a request, a frame or a stream cannot be served. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** The problem document, RFC 9457. */
  readonly problem: ProblemDocument;
  /** Seconds after which the same request may succeed; undefined where the service does not tell. */
  readonly retryAfter: number | undefined;

  constructor(problem: ProblemDocument, retryAfter?: number) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** The HTTP status of the problem, over WebSocket, too. */
  get status(): number {
    return this.problem.status;
  }

  /** The end of the problem's type, as "bad-picture": one of PROBLEM_KINDS; "about:blank" where the answer is not of
   * this service. */
  get kind(): ProblemKind | (string & {}) {
    const { type } = this.problem;
    return type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type;
  }
}

/** Whether a value has what is read of a problem document. */
export function isProblem(value: unknown): value is ProblemDocument {
  const problem = value as Partial<ProblemDocument> | null | undefined;
  return typeof problem?.type === "string" && typeof problem.detail === "string";
}

/** There is no connection, it was lost, or what answers is not this service. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}
