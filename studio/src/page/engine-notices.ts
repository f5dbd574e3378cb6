/** What the reader is told about an engine's problems. */

import type { Problem } from "mfn-client";
import type { EngineMode } from "../engine/engine.ts";
import type { Notice } from "../view/notices.ts";

/** Ways out that a notice may offer. */
export interface WaysOut {
  /** Takes an API key. */
  key(key: string): void;
  /** Opens the engine again. */
  again(): void;
}

/** Problems of a server that pass. */
const PASSING: Readonly<Record<string, string>> = {
  "no-connection": "No connection to the server",
  overloaded: "The server is full",
  unavailable: "The server is starting or stopping",
  "no-memory": "The server is full",
  "deadline-passed": "The server takes too long",
  internal: "The server failed",
};

/** closed: trying again does not mend it. */
export function engineNotice(
  { type, title, detail }: Problem,
  mode: EngineMode,
  closed: boolean,
  ways: WaysOut,
): Notice {
  const kind = type.slice(type.lastIndexOf(":") + 1);
  if (kind === "unauthenticated")
    return {
      title: "The server asks for a key",
      detail: "Ask whoever runs the server for an API key. It is kept until you close this tab.",
      question: { label: "API key", type: "password", button: "Use key", answer: ways.key },
    };
  const known = (mode === "server" ? PASSING[kind] : undefined) ?? title;
  if (kind === "no-connection")
    return {
      title: known,
      detail: "Check that the service runs, and that it can be reached. The page connects by itself.",
    };
  if (closed) return { title: known, detail, action: { title: "Try again", run: ways.again } };
  return { title: known, detail: `${detail} The page tries again by itself.` };
}
