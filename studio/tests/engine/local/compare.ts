/** Gives the answers of the local engine's parts to tests/studio/local, which compares them with the service's:
 * `node --import ./resolve-client.ts compare.ts`, a question in JSON at standard input, the answer at standard output. */

import { readFileSync } from "node:fs";
import { faceAnswer } from "../../../src/engine/local/answers.ts";
import { Detector } from "../../../src/engine/local/detector.ts";
import { readManifest } from "../../../src/engine/local/manifest.ts";
import { OrtNetworks, prepareRuntime } from "../../../src/engine/local/networks.ts";
import { Session } from "../../../src/engine/local/session.ts";
import { Laps } from "../../../src/engine/local/timing.ts";
import { assign } from "../../../src/engine/local/tracking/assignment.ts";
import { Costs } from "../../../src/engine/local/tracking/costs.ts";
import { anyLost, type FollowedFace, followed, startFollowing } from "../../../src/engine/local/tracking/follow.ts";
import { differs, thumbnailOf } from "../../../src/engine/local/tracking/scene-change.ts";
import { Smoother, type SmoothingOptions } from "../../../src/engine/local/tracking/smoothing.ts";
import { Tracker } from "../../../src/engine/local/tracking/tracker.ts";
import type { Box } from "../../../src/engine/local/vision/boxes.ts";
import type { FaceEstimate } from "../../../src/engine/local/vision/face-estimate.ts";
import { LandmarkModel } from "../../../src/engine/local/vision/landmarks.ts";
import type { Picture } from "../../../src/engine/local/vision/pictures.ts";
import { blend } from "../../../src/engine/local/vision/refinement.ts";
import { NeutralFaces } from "../../../src/people/neutral.ts";

const MODELS = new URL("../../../../models/", import.meta.url);
const RUNTIME = new URL("../../../node_modules/onnxruntime-web/dist/", import.meta.url);

/** A face in JSON. */
type FaceJson = Omit<FaceEstimate, "identity" | "expression" | "gaze"> & {
  identity: number[];
  expression: number[];
  gaze: number[] | null;
};

/** A file of RGBA bytes. */
interface PictureJson {
  file: string;
  columns: number;
  rows: number;
  width: number;
  height: number;
}

interface FrameJson {
  timestamp: number;
  faces: FaceJson[];
}

const answers = {
  /** Columns of rows. costs: numbers, or null for infinite ones. */
  assignments: ({ cases, limit }: { cases: { cost: (number | null)[][]; columns: number }[]; limit: number }) =>
    cases.map(({ cost, columns }) => {
      const rows = cost.map((row) => row.map((value) => value ?? Number.POSITIVE_INFINITY));
      return Array.from(assign(rows, columns, limit));
    }),

  /** Ids of a film's faces, and what the tracker says of itself. restart: whether before the frame. */
  tracks({ frames }: { frames: (FrameJson & { restart: boolean })[] }) {
    let tracker = new Tracker();
    return frames.map(({ timestamp, faces, restart }) => {
      if (restart) tracker = tracker.restarted();
      const estimates = faces.map(faceOf);
      const ids = tracker.update(estimates, timestamp);
      const distances = estimates.map((face, i) => tracker.identityDistance(face.identity, ids[i] as number));
      return { ids, alive: tracker.alive, lost: tracker.hasLostTracks, distances };
    });
  },

  /** Smoothed faces of tracks. */
  smoothed({ options, frames }: { options: SmoothingOptions; frames: (FrameJson & { ids: number[] })[] }) {
    const smoother = new Smoother(options);
    return frames.map(({ timestamp, faces, ids }) => {
      smoother.keep(ids);
      return faces.map((face, i) => faceJson(smoother.smooth(faceOf(face), ids[i] as number, timestamp)));
    });
  },

  /** Expressions relative to the neutral ones, and states. before: what is asked for before the frame. */
  neutral({ frames }: { frames: NeutralFrame[] }) {
    const calibration = new NeutralFaces();
    return frames.map(({ timestamp, expressions, ids, alive, before }) => {
      if (before !== null) calibration[before]();
      calibration.begin(alive, timestamp);
      const relative = expressions.map((row, i) =>
        Array.from(calibration.subtract(Float32Array.from(row), ids[i] as number)),
      );
      return { expressions: relative, states: ids.map((id) => calibration.state(id)) };
    });
  },

  /** Whether following pays, after each measurement. */
  costs: ({ steps }: { steps: { detection: number; refinement: number; faces: number }[] }) => {
    const costs = new Costs();
    return steps.map(({ detection, refinement, faces }) => {
      costs.addDetection(detection);
      costs.addRefinement(refinement, faces);
      return costs.followingPays(faces, 10);
    });
  },

  /** Boxes of faces that are followed from one picture into the next, and whether each is lost, alone. */
  following({ picture, later, pairs, distance }: FollowingQuestion) {
    const [first, second] = [pictureOf(picture), pictureOf(later)];
    const model = landmarkModel();
    return pairs.map(([before, after]) => {
      const start: FollowedFace = startFollowing(faceOf(before), first, model);
      const end = followed(start, faceOf(after), second, model);
      return { box: end.face.box, patch: Array.from(end.patch), lost: anyLost([start], [end], [distance], 0.5) };
    });
  },

  /** Cells of pictures' thumbnails, and whether each differs from the first. */
  thumbnails({ pictures, boxes }: { pictures: PictureJson[]; boxes: Box[] }) {
    const thumbnails = pictures.map((picture) => thumbnailOf(pictureOf(picture)));
    return thumbnails.map((thumbnail) => ({
      cells: Array.from(thumbnail.cells),
      differs: thumbnails[0] !== undefined && differs(thumbnail, thumbnails[0], boxes),
    }));
  },

  /** The faces of pictures as the API tells them, with a second look. */
  async pictures({ pictures }: { pictures: PictureJson[] }) {
    const { detector, names } = await published();
    const results = [];
    for (const picture of pictures.map(pictureOf)) {
      const { faces } = await detector.detect(picture, 0, true, new Laps());
      const refined = await detector.refine(faces, picture, new Laps());
      const both = faces.map((face, i) => blend(face, refined[i] as FaceEstimate));
      const tracked = both.map((face, i) => {
        const landmarks = detector.landmarks.project(face, picture);
        return { face, landmarks, id: i + 1 };
      });
      results.push(tracked.map((face) => faceAnswer(face, names, true)));
    }
    return results;
  },

  /** The faces of a stream's frames as the API tells them. */
  async stream({ frames, refine }: { frames: { timestamp: number; picture: PictureJson }[]; refine: boolean }) {
    const { detector, names } = await published();
    const session = new Session(detector, { refine, smoothing: true });
    const results = [];
    for (const { timestamp, picture } of frames) {
      const { faces, detected, restarted } = await session.process(pictureOf(picture), timestamp, new Laps());
      results.push({ faces: faces.map((face) => faceAnswer(face, names, true)), detected, restarted });
    }
    return results;
  },
};

interface NeutralFrame {
  timestamp: number;
  expressions: number[][];
  ids: number[];
  alive: number[];
  before: "calibrate" | "reset" | null;
}

interface FollowingQuestion {
  picture: PictureJson;
  later: PictureJson;
  pairs: [before: FaceJson, after: FaceJson][];
  distance: number;
}

function faceOf(face: FaceJson): FaceEstimate {
  return {
    ...face,
    identity: Float32Array.from(face.identity),
    expression: Float32Array.from(face.expression),
    gaze: face.gaze === null ? undefined : Float32Array.from(face.gaze),
  };
}

function faceJson(face: FaceEstimate): FaceJson {
  return {
    ...face,
    identity: Array.from(face.identity),
    expression: Array.from(face.expression),
    gaze: face.gaze ? Array.from(face.gaze) : null,
  };
}

function pictureOf({ file, ...size }: PictureJson): Picture {
  return { pixels: readFileSync(file), ...size };
}

function bytesOf(name: string): ArrayBuffer {
  return new Uint8Array(readFileSync(new URL(name, MODELS))).buffer;
}

function landmarkModel(): LandmarkModel {
  return new LandmarkModel(bytesOf("mobile/landmarks.bin"));
}

async function published() {
  const { mfn, sfn, facts, model } = readManifest(bytesOf("manifest.json"));
  const runtime = "ort-wasm-simd-threaded";
  prepareRuntime({ mjs: new URL(`${runtime}.mjs`, RUNTIME), wasm: new URL(`${runtime}.wasm`, RUNTIME) }, 1);
  const bytes = ({ file, input }: typeof mfn) => ({ bytes: bytesOf(file), input });
  const networks = await OrtNetworks.load(bytes(mfn), bytes(sfn), facts);
  return { detector: new Detector(networks, facts, landmarkModel()), names: model.expression_names };
}

const { question, ...details } = JSON.parse(readFileSync(0, "utf8"));
const answer = answers[question as keyof typeof answers] as (details: unknown) => unknown;
process.stdout.write(JSON.stringify(await answer(details)));
