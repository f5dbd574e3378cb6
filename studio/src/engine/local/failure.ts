/** What can go wrong in local mode, as problem documents with a sentence for the reader. */

import type { Problem, ProblemKind } from "mfn-client";

/** unavailable: a file cannot be fetched, or the browser cannot run it. no-memory: the browser has none left. internal:
 * everything else. */
type LocalKind = Extract<ProblemKind, "unavailable" | "no-memory" | "internal">;

const STATUS: Readonly<Record<LocalKind, number>> = { unavailable: 503, "no-memory": 503, internal: 500 };

const TITLES: Readonly<Record<LocalKind, string>> = {
  unavailable: "Local mode cannot start",
  "no-memory": "The browser has no memory left for local mode",
  internal: "Local mode failed",
};

/** Words of errors for which the WebAssembly runtime and browsers have no type. */
const NO_MEMORY_WORDS = /out of memory|bad_alloc|failed to allocate|allocation failed/i;

/** A failure whose message is for the reader: what was wrong, what was expected and what to do. */
export class LocalError extends Error {
  override readonly name = "LocalError";
  readonly kind: LocalKind;

  constructor(kind: LocalKind, detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** The problem document of anything that was thrown. doing: what failed, for errors that have no sentence of their own. */
export function problemOf(error: unknown, doing: string): Problem {
  const { kind, message } = error instanceof LocalError ? error : described(error, doing);
  return { type: `urn:problem-type:mfn:${kind}`, title: TITLES[kind], status: STATUS[kind], detail: message };
}

function described(error: unknown, doing: string): LocalError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  if (NO_MEMORY_WORDS.test(reason)) {
    return new LocalError(
      "no-memory",
      `${doing} failed, since the browser has no memory left. Close other tabs and reload the page, or use the server.`,
    );
  }
  return new LocalError("internal", `${doing} failed: ${reason}. Reload the page, or use the server.`);
}
