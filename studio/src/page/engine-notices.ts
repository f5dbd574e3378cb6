/** What the reader is told about an engine's problems. */

import type { Problem } from "mfn-client";
import type { EngineMode } from "../engine/engine.ts";
import type { Notice } from "../view/notices.ts";

/** Where a problem comes from. */
export interface Circumstances {
  mode: EngineMode;
  /** Whether trying again does not mend it. */
  closed: boolean;
  /** Whether a key was given. */
  keyed: boolean;
}

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

export function engineNotice(
  { type, title, detail }: Problem,
  { mode, closed, keyed }: Circumstances,
  ways: WaysOut,
): Notice {
  const kind = type.slice(type.lastIndexOf(":") + 1);
  if (kind === "unauthenticated")
    return {
      title: keyed ? "The server does not take the key" : "The server asks for a key",
      detail: keyed
        ? "Compare it with the one that you were given, letter by letter, or ask whoever runs the server for another."
        : "Ask whoever runs the server for an API key. It is kept until you close this tab.",
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
