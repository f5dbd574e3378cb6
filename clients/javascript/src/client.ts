/** The facade: where the service is, and what it can be asked. */

import { ConnectionError, isProblem, ProblemError } from "./errors.ts";
import type { ModelAnswer, ProblemDocument, RetargetAnswer } from "./generated.ts";
import { checkPicture, type Picture, queryOf, type RetargetOptions, type StreamOptions } from "./options.ts";
import type { WebSocketConstructor } from "./socket.ts";
import { Stream } from "./stream.ts";

/** Where the service is, and how it is reached. */
export interface ClientOptions {
  /** The service's address, below which its paths lie; relative ones are those of the page. By default the page's own
   * server; http://localhost:8000 where there is none. */
  baseUrl?: string | URL | undefined;
  /** An API key, where the service asks for one. */
  apiKey?: string | undefined;
  /** In place of the runtime's own. */
  fetch?: typeof globalThis.fetch | undefined;
  /** In place of the runtime's own, which Node has from version 22 on. */
  WebSocket?: WebSocketConstructor | undefined;
}

const LOCAL_SERVICE = "http://localhost:8000";

/** Asks one service. */
export class Client {
  /** The service's address, with a slash at its end. */
  readonly baseUrl: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #socket: WebSocketConstructor | undefined;

  /** Throws TypeError where baseUrl is no address of HTTP. */
  constructor(options: ClientOptions = {}) {
    this.baseUrl = addressOf(options.baseUrl);
    this.#key = options.apiKey;
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
    this.#socket = options.WebSocket ?? globalThis.WebSocket;
  }

  /** Finds the faces in one picture, the best first. Rejects with ProblemError, ConnectionError, or the signal's
   * reason. */
  async retarget(picture: Picture, options: RetargetOptions = {}): Promise<RetargetAnswer> {
    checkPicture(picture);
    const url = new URL("retarget", this.baseUrl);
    url.search = queryOf(options).toString();
    // the bytes tell what picture it is
    const headers = { "Content-Type": "application/octet-stream" };
    return this.#ask(url, { method: "POST", headers, body: picture as BodyInit }, options.signal);
  }

  /** Asks which model answers. Rejects as retarget() does. */
  async model(options: { signal?: AbortSignal | undefined } = {}): Promise<ModelAnswer> {
    return this.#ask(new URL("model", this.baseUrl), {}, options.signal);
  }

  /** Opens a stream of frames. Throws ConnectionError where the runtime has no WebSocket, and RangeError or TypeError for
   * an option that is no number. */
  stream(options: StreamOptions = {}): Stream {
    if (this.#socket === undefined) {
      throw new ConnectionError(
        "This runtime has no WebSocket. Use Node 22 or newer, or give the client one, as that of the package ws.",
      );
    }
    const url = new URL("retarget/stream", this.baseUrl);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return new Stream(this.#socket, url.href, this.#key, options);
  }

  async #ask<Answer>(url: URL, request: RequestInit, signal: AbortSignal | undefined): Promise<Answer> {
    const headers = new Headers(request.headers);
    if (this.#key !== undefined) headers.set("Authorization", `Bearer ${this.#key}`);
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(url, { ...request, headers, signal: signal ?? null });
      text = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ConnectionError(unreachable(this.baseUrl), { cause });
    }
    const document = parsed(text);
    if (!response.ok) throw new ProblemError(problemOf(response, document), secondsOf(response));
    if (document === undefined) throw new ConnectionError(`What answers at ${this.baseUrl} is not this service.`);
    return document as Answer;
  }
}

/** The address of a service, absolute and with a slash at its end. */
function addressOf(given: string | URL | undefined): string {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  const origin = globalThis.location?.origin;
  const address = given ?? (origin?.startsWith("http") ? origin : LOCAL_SERVICE);
  const url = URL.canParse(address, page) ? new URL(address, page) : undefined;
  if (!url?.protocol.startsWith("http")) {
    throw new TypeError(`baseUrl is ${address}; it is the service's address, as ${LOCAL_SERVICE}.`);
  }
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}

function unreachable(address: string): string {
  const sentence = `There is no answer from ${address}. Check that the service runs, and that it can be reached there`;
  const foreign = globalThis.location !== undefined && new URL(address).origin !== globalThis.location.origin;
  return foreign ? `${sentence}, and that its MFN_CORS_ORIGINS names ${globalThis.location.origin}.` : `${sentence}.`;
}

/** The problem of an answer; made from its status where it is another server's, as a proxy's. */
function problemOf(response: Response, document: unknown): ProblemDocument {
  if (isProblem(document)) return document;
  const title = response.statusText || "The request failed";
  const detail = `${response.url} answered with ${response.status}, and not as this service does.`;
  return { type: "about:blank", title, status: response.status, detail };
}

/** The seconds of Retry-After; undefined also for a date, which a proxy may send. */
function secondsOf(response: Response): number | undefined {
  const text = response.headers.get("Retry-After");
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
