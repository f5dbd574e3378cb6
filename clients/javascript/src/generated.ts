/** The service's messages and names. Made by tools/javascript_types.py; `make readme` renews them. */

/** ARKit's 52 blend shapes, by which `blendshapes` are told. */
export const ARKIT_NAMES = [
  "browDownLeft",
  "browDownRight",
  "browInnerUp",
  "browOuterUpLeft",
  "browOuterUpRight",
  "cheekPuff",
  "cheekSquintLeft",
  "cheekSquintRight",
  "eyeBlinkLeft",
  "eyeBlinkRight",
  "eyeLookDownLeft",
  "eyeLookDownRight",
  "eyeLookInLeft",
  "eyeLookInRight",
  "eyeLookOutLeft",
  "eyeLookOutRight",
  "eyeLookUpLeft",
  "eyeLookUpRight",
  "eyeSquintLeft",
  "eyeSquintRight",
  "eyeWideLeft",
  "eyeWideRight",
  "jawForward",
  "jawLeft",
  "jawOpen",
  "jawRight",
  "mouthClose",
  "mouthDimpleLeft",
  "mouthDimpleRight",
  "mouthFrownLeft",
  "mouthFrownRight",
  "mouthFunnel",
  "mouthLeft",
  "mouthLowerDownLeft",
  "mouthLowerDownRight",
  "mouthPressLeft",
  "mouthPressRight",
  "mouthPucker",
  "mouthRight",
  "mouthRollLower",
  "mouthRollUpper",
  "mouthShrugLower",
  "mouthShrugUpper",
  "mouthSmileLeft",
  "mouthSmileRight",
  "mouthStretchLeft",
  "mouthStretchRight",
  "mouthUpperUpLeft",
  "mouthUpperUpRight",
  "noseSneerLeft",
  "noseSneerRight",
  "tongueOut",
] as const;
export type ArkitName = (typeof ARKIT_NAMES)[number];

/** Those of ARKit's names that `gaze` has. */
export const GAZE_NAMES = [
  "eyeLookDownLeft",
  "eyeLookDownRight",
  "eyeLookInLeft",
  "eyeLookInRight",
  "eyeLookOutLeft",
  "eyeLookOutRight",
  "eyeLookUpLeft",
  "eyeLookUpRight",
] as const;
export type GazeName = (typeof GAZE_NAMES)[number];

/** The 46 of `expression`, in the order of the face model. */
export const EXPRESSION_NAMES = [
  "browDown_L",
  "browDown_R",
  "browInnerUp_L",
  "browInnerUp_R",
  "browOuterUp_L",
  "browOuterUp_R",
  "cheekPuff_L",
  "cheekPuff_R",
  "cheekSquint_L",
  "cheekSquint_R",
  "eyeBlink_L",
  "eyeBlink_R",
  "eyeSquint_L",
  "eyeSquint_R",
  "eyeWide_L",
  "eyeWide_R",
  "jawForward",
  "jawLeft",
  "jawOpen",
  "jawRight",
  "mouthClose",
  "mouthDimple_L",
  "mouthDimple_R",
  "mouthFrown_L",
  "mouthFrown_R",
  "mouthFunnel",
  "mouthLeft",
  "mouthLowerDown_L",
  "mouthLowerDown_R",
  "mouthPress_L",
  "mouthPress_R",
  "mouthPucker",
  "mouthRight",
  "mouthRollLower",
  "mouthRollUpper",
  "mouthShrugLower",
  "mouthShrugUpper",
  "mouthSmile_L",
  "mouthSmile_R",
  "mouthStretch_L",
  "mouthStretch_R",
  "mouthUpperUp_L",
  "mouthUpperUp_R",
  "noseSneer_L",
  "noseSneer_R",
  "eyeLookDown",
] as const;
export type ExpressionName = (typeof EXPRESSION_NAMES)[number];

/** What can go wrong: the end of a problem's type. */
export const PROBLEM_KINDS = [
  "bad-picture",
  "bad-request",
  "bad-body",
  "bad-parameter",
  "unauthenticated",
  "origin-refused",
  "not-found",
  "method-not-allowed",
  "not-acceptable",
  "request-timeout",
  "too-large",
  "unsupported-media",
  "unsupported-encoding",
  "range-not-satisfiable",
  "overloaded",
  "headers-too-large",
  "internal",
  "unavailable",
  "no-memory",
  "deadline-passed",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** Top left corner and size in pixels of the picture; may reach past its edges. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A client's request about the neutral expressions of the faces in its stream. */
export type Calibration = "take_neutral" | "reset";

/** A request about the neutral expressions. */
export interface CalibrationMessage {
  calibration: Calibration;
}

/** The first message. */
export interface Configuration {
  /** latest: a new frame replaces the one that waits; none: every frame is answered, and you are slowed down */
  drop_policy?: DropPolicy;
  /** least score of a face; the server's default where it is null */
  min_score?: number;
  /** most faces; the server's default where it is null */
  max_faces?: number;
  /** a second look at each face of each frame */
  refine?: boolean;
  /** pixels along the longer side, one of those that GET /model tells; null: the smallest */
  input_size?: number;
  /** search for faces now and then, and follow them in between */
  follow?: boolean;
  /** frames from one search to the next when following */
  detect_every?: number;
  /** a One-Euro filter on box, pose and coefficients; {} takes its defaults, null leaves it out */
  smoothing?: SmoothingMessage;
  /**
   * everybody's resting face until a calibration, as a file of `mfn capture` has it: a weight for each of
   * `expression_names`; null: expressions are as seen
   */
  neutral?: Record<ExpressionName, number>;
  /** what to add to each face: landmarks, blendshapes */
  include?: ("landmarks" | "blendshapes")[];
  /** what to leave out of each face: identity */
  exclude?: "identity"[];
  /** frames begin with 16 bytes of stamp */
  stamped?: boolean;
  /** degrees by which frames have to be turned clockwise to be upright: 0, 90, 180 or 270 */
  rotation?: 0 | 90 | 180 | 270;
  /** an API key, where the server asks for one */
  key?: string;
}

/**
 * What happens to a frame that comes while another one waits. LATEST: it replaces the waiting one (a conflating queue).
 * NONE: its sender is slowed down until the waiting one is processed (backpressure).
 */
export type DropPolicy = "latest" | "none";

/** Why the server ends the stream; its last message. */
export interface End {
  problem: ProblemDocument;
}

/** One face. */
export interface FaceAnswer {
  score: number;
  box: Box;
  pose: HeadPose;
  /** standard deviations, unless excluded */
  identity?: number[];
  /** 46 weights in [0, 1] by name */
  expression: Record<ExpressionName, number>;
  /** ARKit's eight eyeLook* in [0, 1], where a second look was taken */
  gaze?: Record<GazeName, number>;
  /** 68 points, pixels, when included */
  landmarks?: [number, number][];
  /** 52 ARKit weights, when included */
  blendshapes?: Record<ArkitName, number>;
}

/** What a frame shows. */
export interface FrameAnswer {
  /** the frame's number, from 1 where frames have no stamp */
  sequence: number;
  /** the frame's time, microseconds */
  timestamp_us: number;
  /** frames dropped since the stream began */
  dropped: number;
  /**
   * whether the frames' clock jumped, by more than a second, forward or back: tracks, smoothing and neutral faces begin
   * anew with this frame
   */
  restarted: boolean;
  image: ImageSize;
  timing_ms: StreamTiming;
  /** in descending score */
  faces: StreamFace[];
  /** names of `blendshapes` that were not seen and are 0, when included */
  unobserved_arkit?: ArkitName[];
}

/** Why a frame could not be looked at. The stream goes on. */
export interface FrameProblem {
  /** the frame's number, from 1 where frames have no stamp */
  sequence: number;
  /** the frame's time, microseconds */
  timestamp_us: number;
  /** frames dropped since the stream began */
  dropped: number;
  problem: ProblemDocument;
}

export type FromServer = ModelMessage | FrameAnswer | FrameProblem | End;

/** Rotation, translation and scale of a head under weak perspective. */
export interface HeadPose {
  /** [x, y, z, w], unit, head to camera */
  quaternion: [number, number, number, number];
  /** degrees; positive turns the face toward the image's right */
  yaw: number;
  /** degrees; positive looks down */
  pitch: number;
  /** degrees; positive is counter-clockwise as seen */
  roll: number;
  /** cm, camera frame */
  translation: [number, number, number];
  /** pixels per cm */
  scale: number;
}

/** Size of the picture. */
export interface ImageSize {
  /** pixels, after the picture's EXIF orientation */
  width: number;
  height: number;
}

/** The models that answer. */
export interface ModelAnswer {
  name: string;
  version: string;
  /** what the networks calculate in: int8 or float32 */
  precision: string;
  networks: Record<string, NetworkAnswer>;
  /** pixels, what the parameter input_size may choose */
  input_sizes: number[];
  /** the 46 of `expression`, in the order of training */
  expression_names: ExpressionName[];
  /** the 52 of `blendshapes` */
  arkit_names: ArkitName[];
  /** the eight of `gaze`; none where the model does not see it */
  gaze_names: GazeName[];
  /** of arkit_names, those no picture shows this model: always 0 */
  unobserved_arkit: ArkitName[];
  /** measured figures, as in the model card */
  accuracy: Record<string, unknown>;
}

/** The server's first message: which model answers, and the names behind the numbers. */
export interface ModelMessage {
  model: ModelAnswer;
}

/** Name and version of the models. */
export interface ModelName {
  name: string;
  version: string;
}

/** One of the two networks. */
export interface NetworkAnswer {
  file: string;
  sha256: string;
  /** shape, uint8 RGB */
  input: (number | string | null)[];
}

/** A track's state: not calibrated, its neutral expression is being collected, or it is being subtracted. */
export type NeutralState = "off" | "collecting" | "on";

/** A problem document, RFC 9457. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  /** what was wrong, what was expected and what to do */
  detail: string;
}

/** The faces of a picture. */
export interface RetargetAnswer {
  model: ModelName;
  image: ImageSize;
  timing_ms: TimingMs;
  /** in descending score */
  faces: FaceAnswer[];
  /** names of `blendshapes` that were not seen in this answer and are 0, when included */
  unobserved_arkit?: ArkitName[];
}

/** The rotation of the frames after it: degrees by which they have to be turned clockwise to be upright. */
export interface RotationMessage {
  rotation: 0 | 90 | 180 | 270;
}

/** Parameters of the One-Euro filter that smooths the faces. */
export interface SmoothingMessage {
  /** Hz: what a still face is filtered with */
  min_cutoff?: number;
  /** Hz that the cut-off rises by at one unit a second */
  beta?: number;
}

/** A face as of POST /retarget, and whose it is. */
export interface StreamFace {
  score: number;
  box: Box;
  pose: HeadPose;
  /** standard deviations, unless excluded */
  identity?: number[];
  /** 46 weights in [0, 1] by name */
  expression: Record<ExpressionName, number>;
  /** ARKit's eight eyeLook* in [0, 1], where a second look was taken */
  gaze?: Record<GazeName, number>;
  /** 68 points, pixels, when included */
  landmarks?: [number, number][];
  /** 52 ARKit weights, when included */
  blendshapes?: Record<ArkitName, number>;
  /** stays with the person and is never used again in this stream */
  track_id: number;
  /** how far its calibration has come */
  neutral: NeutralState;
}

/** Milliseconds. */
export interface StreamTiming {
  decode: number;
  preprocess: number;
  queue: number;
  /** of the network that finds the faces */
  inference: number;
  /** of the one that looks at each, where it did */
  refine?: number;
  postprocess: number;
  /** tracking, smoothing and calibration */
  track: number;
}

/** Milliseconds that each step took. */
export interface TimingMs {
  decode: number;
  preprocess: number;
  queue: number;
  /** of the network that finds the faces */
  inference: number;
  /** of the one that looks at each, where it did */
  refine?: number;
  postprocess: number;
}
