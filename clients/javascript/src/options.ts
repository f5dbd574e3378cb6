/** What a caller may choose, and how the service is told. */

import type { Configuration, ExpressionName } from "./generated.ts";

/** The bytes of a JPEG, PNG, WebP or AVIF file. */
export type Picture = Blob | ArrayBuffer | Uint8Array;

/** Degrees by which frames have to be turned clockwise to be upright. */
export type Rotation = 0 | 90 | 180 | 270;

/** Which faces are told, and what of them. What is left out is as the service has it. */
export interface FaceOptions {
  /** Least score of a face, 0.01 to 1. */
  minScore?: number | undefined;
  /** Most faces, 1 to 100. */
  maxFaces?: number | undefined;
  /** A second network looks at each face: more accurate, with gaze, slower. */
  refine?: boolean | undefined;
  /** What to add to each face: 68 landmarks, ARKit's 52 blend shapes. */
  include?: readonly ("landmarks" | "blendshapes")[] | undefined;
  /** What to leave out of each face: the 50 identity coefficients. */
  exclude?: readonly "identity"[] | undefined;
  /** Pixels along the longer side at which the network sees the picture, one of the model's input_sizes. More show
   * smaller faces, and take longer. */
  inputSize?: number | undefined;
}

/** Options of one picture. */
export interface RetargetOptions extends FaceOptions {
  /** 2 to 4: overlapping tiles of the picture are looked at, too, for smaller faces. */
  tiles?: number | undefined;
  /** Ends the request; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of a stream that the service is told when a connection opens. */
export interface StreamConfiguration extends FaceOptions {
  /** Search for faces now and then, and follow them in between. */
  follow?: boolean | undefined;
  /** Frames from one search to the next when following, 1 to 300. */
  detectEvery?: number | undefined;
  /** A One Euro filter on box, pose and coefficients; {} takes its defaults. minCutoff: Hz, what a still face is
   * filtered with. beta: Hz that the cut-off rises by at one unit a second. */
  smoothing?: { minCutoff?: number | undefined; beta?: number | undefined } | undefined;
  /** Everybody's resting face until calibrate() takes theirs, as a file of `mfn capture` has it. */
  neutral?: Readonly<Record<ExpressionName, number>> | undefined;
  /** Degrees by which the first frames have to be turned clockwise to be upright; rotate() changes it. */
  rotation?: Rotation | undefined;
}

/** Options of a stream. */
export interface StreamOptions extends StreamConfiguration {
  /** Frames that may be on their way at once; 1 by default, which has the least delay. 2 keep a distant service
   * busy. */
  inFlight?: number | undefined;
  /** Milliseconds that a connection may take to open, and the service to answer a frame; 10,000 by default. After that
   * the connection is given up, and another is opened. */
  timeout?: number | undefined;
  /** Whether a connection that is lost is opened again; true by default. */
  reconnect?: boolean | undefined;
  /** Closes the stream. */
  signal?: AbortSignal | undefined;
}

/** The parameters of POST /retarget. */
export function queryOf(options: RetargetOptions): URLSearchParams {
  const { minScore, maxFaces, refine, include, exclude, inputSize, tiles } = options;
  const named = {
    min_score: minScore,
    max_faces: maxFaces,
    refine,
    include: include?.join(),
    exclude: exclude?.join(),
    input_size: inputSize,
    tiles,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query;
}

/** A stream's first message. Every frame is answered: the client itself sends no more than may be on their way. */
export function configurationOf(options: StreamConfiguration, key: string | undefined): Partial<Configuration> {
  const { minScore, maxFaces, refine, include, exclude, inputSize } = options;
  const { follow, detectEvery, smoothing, neutral, rotation } = options;
  const named = {
    stamped: true,
    drop_policy: "none",
    min_score: minScore,
    max_faces: maxFaces,
    refine,
    include,
    exclude,
    input_size: inputSize,
    follow,
    detect_every: detectEvery,
    smoothing: smoothing && defined({ min_cutoff: smoothing.minCutoff, beta: smoothing.beta }),
    neutral,
    rotation,
    key,
  };
  return defined(named) as Partial<Configuration>;
}

/** The members that have a value. */
function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Throws TypeError where JSON has no value for an option. */
export function checkOptions(options: StreamConfiguration): void {
  JSON.stringify(options, (name, value: unknown) => {
    if (typeof value !== "bigint" && (typeof value !== "number" || Number.isFinite(value))) return value;
    throw new TypeError(`${name} is ${value}, of type ${typeof value}; a finite number is expected.`);
  });
}

/** Throws TypeError for what is no picture. */
export function checkPicture(picture: unknown): asserts picture is Picture {
  if (picture instanceof Blob || picture instanceof ArrayBuffer || picture instanceof Uint8Array) return;
  throw new TypeError(
    "A picture is a Blob, an ArrayBuffer or a Uint8Array with the bytes of a JPEG, PNG, WebP or AVIF.",
  );
}
