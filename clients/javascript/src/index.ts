/** The client of MFN: pictures or a stream of frames in, every face out. */

export { Client, type ClientOptions } from "./client.ts";
export { ConnectionError, ProblemError } from "./errors.ts";
export {
  ARKIT_NAMES,
  type ArkitName,
  type Box,
  type Calibration,
  EXPRESSION_NAMES,
  type ExpressionName,
  type FaceAnswer as PictureFace,
  GAZE_NAMES,
  type GazeName,
  type HeadPose,
  type ImageSize,
  type ModelAnswer as Model,
  type NeutralState,
  PROBLEM_KINDS,
  type ProblemDocument as Problem,
  type ProblemKind,
  type RetargetAnswer,
  type StreamFace as Face,
  type StreamTiming,
  type TimingMs,
} from "./generated.ts";
export type { FaceOptions, Picture, RetargetOptions, Rotation, StreamConfiguration, StreamOptions } from "./options.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
export { type FrameOptions, Stream, type StreamAnswer, type StreamState } from "./stream.ts";
