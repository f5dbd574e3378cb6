/** Runs the published networks with onnxruntime in WebAssembly. */

import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { NetworkFacts } from "./detector.ts";
import { LocalError } from "./failure.ts";
import { buildPriors, EXPRESSIONS, IDENTITY_MODES, type RawFaces } from "./vision/candidates.ts";
import { CROP_BYTES, CROP_SIDE } from "./vision/crops.ts";
import { GAZE_COEFFICIENTS } from "./vision/face-estimate.ts";
import type { RawLook } from "./vision/refinement.ts";

const POSE = 7; // numbers of a raw pose

/** The two networks. */
export interface Networks {
  /** The Multiple Face Network's raw outputs for its input, RGB (side, side, 3). */
  detect(square: Uint8Array): Promise<RawFaces>;
  /** The Single Face Network's raw outputs for each of one or more crops, RGB (128, 128, 3). */
  look(crops: readonly Uint8Array[]): Promise<RawLook[]>;
}

/** A network's bytes. input: the name of its input. */
export interface NetworkBytes {
  bytes: ArrayBuffer;
  input: string;
}

/** Tells onnxruntime where its own two files lie, and how many threads a run may take. Call this before networks are
 * loaded. */
export function prepareRuntime(files: { mjs: URL; wasm: URL }, threads: number): void {
  env.wasm.wasmPaths = { mjs: files.mjs.href, wasm: files.wasm.href };
  env.wasm.numThreads = threads;
  env.logLevel = "error";
}

/** The networks in onnxruntime. */
export class OrtNetworks implements Networks {
  readonly #mfn: InferenceSession;
  readonly #sfn: InferenceSession;
  readonly #inputs: { mfn: string; sfn: string };
  readonly #side: number;

  private constructor(
    mfn: InferenceSession,
    sfn: InferenceSession,
    inputs: { mfn: string; sfn: string },
    side: number,
  ) {
    this.#mfn = mfn;
    this.#sfn = sfn;
    this.#inputs = inputs;
    this.#side = side;
  }

  /** Opens the networks and runs each once, since the first run takes longest and tells whether the outputs are those
   * that the decoding expects. Throws LocalError where they are not, and what onnxruntime throws. */
  static async load(mfn: NetworkBytes, sfn: NetworkBytes, facts: NetworkFacts): Promise<OrtNetworks> {
    const open = ({ bytes }: NetworkBytes) =>
      InferenceSession.create(bytes, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
    const inputs = { mfn: mfn.input, sfn: sfn.input };
    const networks = new OrtNetworks(await open(mfn), await open(sfn), inputs, facts.side);
    const priors = buildPriors(facts.levels, facts.side).length;
    const { detection, ...faces } = await networks.detect(new Uint8Array(facts.side ** 2 * 3));
    const [look] = await networks.look([new Uint8Array(CROP_BYTES)]);
    check(
      "mfn",
      { detection, ...faces },
      { detection: 5, pose: POSE, identity: IDENTITY_MODES, expression: EXPRESSIONS },
      priors,
    );
    check("sfn", look, { pose: POSE, identity: IDENTITY_MODES, expression: EXPRESSIONS, gaze: GAZE_COEFFICIENTS }, 1);
    return networks;
  }

  async detect(square: Uint8Array): Promise<RawFaces> {
    const input = new Tensor("uint8", square, [1, this.#side, this.#side, 3]);
    const outputs = await this.#mfn.run({ [this.#inputs.mfn]: input });
    return {
      detection: values(outputs, "detection"),
      pose: values(outputs, "pose"),
      identity: values(outputs, "identity"),
      expression: values(outputs, "expression"),
    };
  }

  async look(crops: readonly Uint8Array[]): Promise<RawLook[]> {
    const bytes = new Uint8Array(crops.length * CROP_BYTES);
    for (const [i, crop] of crops.entries()) bytes.set(crop, i * CROP_BYTES);
    const input = new Tensor("uint8", bytes, [crops.length, CROP_SIDE, CROP_SIDE, 3]);
    const outputs = await this.#sfn.run({ [this.#inputs.sfn]: input });
    const row = (name: string, i: number) => {
      const all = values(outputs, name);
      const width = all.length / crops.length;
      return all.slice(i * width, (i + 1) * width);
    };
    return crops.map((_, i) => ({
      pose: row("pose", i),
      identity: row("identity", i),
      expression: row("expression", i),
      gaze: row("gaze", i),
    }));
  }
}

function values(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new LocalError("unavailable", `A network has no output ${name} of float32. Its host has to restore its file.`);
}

/** Throws LocalError where an output has another number of values than `rows` rows of its width. */
function check(
  network: string,
  outputs: object | undefined,
  widths: Readonly<Record<string, number>>,
  rows: number,
): void {
  for (const [name, width] of Object.entries(widths)) {
    const values: unknown = outputs && Reflect.get(outputs, name);
    if (values instanceof Float32Array && values.length === rows * width) continue;
    throw new LocalError(
      "unavailable",
      `The output ${name} of ${network} has not the ${rows} rows of ${width} numbers that the manifest tells. Its host ` +
        "has to restore the files that belong together.",
    );
  }
}
