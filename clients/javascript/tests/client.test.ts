import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Client, type ClientOptions, ConnectionError, ProblemError } from "../src/index.ts";
import { FakeSocket, problem } from "./fake-socket.ts";

const PICTURE = new Uint8Array([1, 2, 3]);

/** A client whose requests are answered so, and the requests. */
function answering(answer: () => Response | Promise<Response>, options: ClientOptions = {}) {
  const requests: Request[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    requests.push(new Request(url, init));
    init?.signal?.throwIfAborted();
    return answer();
  };
  return { client: new Client({ baseUrl: "http://host/", fetch, ...options }), requests };
}

describe("retarget", () => {
  test("sends the bytes of a picture, and what was chosen", async () => {
    const { client, requests } = answering(() => Response.json({ faces: [] }), { apiKey: "a key" });
    const answer = await client.retarget(PICTURE, {
      minScore: 0.25,
      maxFaces: 3,
      refine: false,
      include: ["landmarks", "blendshapes"],
      exclude: ["identity"],
      inputSize: 416,
      tiles: 2,
    });
    assert.deepEqual(answer, { faces: [] });
    const [request] = requests;
    assert.equal(request?.method, "POST");
    assert.equal(request.headers.get("Authorization"), "Bearer a key");
    assert.equal(request.headers.get("Content-Type"), "application/octet-stream");
    assert.deepEqual(new Uint8Array(await request.arrayBuffer()), PICTURE);
    const url = new URL(request.url);
    assert.equal(url.pathname, "/retarget");
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      min_score: "0.25",
      max_faces: "3",
      refine: "false",
      include: "landmarks,blendshapes",
      exclude: "identity",
      input_size: "416",
      tiles: "2",
    });
  });

  test("says nothing of what was not chosen", async () => {
    const { client, requests } = answering(() => Response.json({ faces: [] }));
    await client.retarget(new Blob([PICTURE], { type: "text/html" }), { include: [], refine: undefined });
    assert.equal(requests[0]?.url, "http://host/retarget");
    assert.equal(requests[0].headers.get("Authorization"), null);
    assert.equal(requests[0].headers.get("Content-Type"), "application/octet-stream");
  });

  test("takes pictures only", async () => {
    const { client, requests } = answering(() => Response.json({}));
    for (const picture of ["photo.jpg", undefined, [1, 2]]) {
      await assert.rejects(client.retarget(picture as never), { name: "TypeError", message: /A picture is a Blob/ });
    }
    assert.equal(requests.length, 0);
  });

  test("is ended by its signal", async () => {
    const { client } = answering(() => Response.json({}));
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(client.retarget(PICTURE, { signal }), /enough/);
  });
});

describe("what fails", () => {
  const rejected = async (answer: () => Response | Promise<Response>): Promise<unknown> =>
    answering(answer)
      .client.model()
      .then(
        () => assert.fail("it did not fail"),
        (error: unknown) => error,
      );

  test("is the service's problem", async () => {
    const document = { ...problem("overloaded"), status: 429 };
    const error = await rejected(() => Response.json(document, { status: 429, headers: { "Retry-After": "2" } }));
    assert.ok(error instanceof ProblemError);
    assert.deepEqual(
      [error.name, error.message, error.kind, error.status, error.retryAfter, error.problem],
      ["ProblemError", "about overloaded", "overloaded", 429, 2, document],
    );
  });

  test("is a problem, too, where another server answers", async () => {
    const headers = { "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT" };
    const error = await rejected(() => new Response("<html>", { status: 502, statusText: "Bad Gateway", headers }));
    assert.ok(error instanceof ProblemError);
    assert.deepEqual(
      [error.kind, error.status, error.problem.title, error.retryAfter],
      ["about:blank", 502, "Bad Gateway", undefined],
    );
    assert.match(error.message, /answered with 502/);
  });

  test("is the connection", async () => {
    const cause = new TypeError("fetch failed");
    const error = await rejected(() => Promise.reject(cause));
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /no answer from http:\/\/host\/\. Check that the service runs/);
    assert.equal(error.cause, cause);
  });

  test("is another server's answer", async () => {
    const error = await rejected(() => new Response("<html>"));
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /is not this service/);
  });
});

describe("the service's address", () => {
  const page = (href: string) => Object.assign(globalThis, { location: new URL(href) });
  afterEach(() => Reflect.deleteProperty(globalThis, "location"));

  for (const [given, address] of [
    [undefined, "http://localhost:8000/"],
    ["https://host", "https://host/"],
    ["http://host/below/here?a#b", "http://host/below/here/"],
    [new URL("http://host:1/"), "http://host:1/"],
  ] as const) {
    test(`is ${address} for ${given}`, () => {
      assert.equal(new Client({ baseUrl: given }).baseUrl, address);
    });
  }

  test("is the page's own server by default, and may be relative to the page", () => {
    page("https://host:8443/below/studio/");
    assert.equal(new Client().baseUrl, "https://host:8443/");
    assert.equal(new Client({ baseUrl: ".." }).baseUrl, "https://host:8443/below/");
  });

  test("is this machine's for a page that comes from a file", () => {
    page("file:///home/page.html");
    assert.equal(new Client().baseUrl, "http://localhost:8000/");
  });

  for (const baseUrl of ["localhost:8000", "host", "ftp://host", ""]) {
    test(`is not ${baseUrl || "empty"}`, () => {
      assert.throws(() => new Client({ baseUrl }), { name: "TypeError", message: /as http:\/\/localhost:8000/ });
    });
  }

  test("streams take the same way", async () => {
    const stream = new Client({ baseUrl: "https://host/below", WebSocket: FakeSocket }).stream();
    await Promise.resolve();
    assert.equal(FakeSocket.last.url, "wss://host/below/retarget/stream");
    stream.close();
  });

  test("a page of another server is told of CORS", async () => {
    page("http://page:3000/");
    const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
    await assert.rejects(
      new Client({ baseUrl: "http://host", fetch }).model(),
      /MFN_CORS_ORIGINS names http:\/\/page:3000/,
    );
    await assert.rejects(new Client({ fetch }).model(), { message: /can be reached there\.$/ });
  });
});

test("a runtime without WebSocket is told how to get one", (context) => {
  const runtime = globalThis.WebSocket;
  context.after(() => Object.assign(globalThis, { WebSocket: runtime }));
  Reflect.deleteProperty(globalThis, "WebSocket");
  assert.throws(() => new Client().stream(), { name: "ConnectionError", message: /Node 22/ });
});
