/** What models/manifest.json says of the published networks. */

import type { Model } from "mfn-client";
import { ARKIT_NAMES } from "mfn-client";
import type { NetworkFacts } from "./detector.ts";
import { LocalError } from "./failure.ts";
import type { Level } from "./vision/candidates.ts";
import { CROP_SIDE } from "./vision/crops.ts";
import { PAD_GREY } from "./vision/pictures.ts";
import type { UpsideDown } from "./vision/upside-down.ts";

/** The form that local mode runs. */
const FORM = "int8.onnx";

interface NetworkSpec {
  forms: Readonly<Record<string, { file: string; sha256: string } | undefined>>;
  input: { name: string; shape: (number | string | null)[]; dtype: string };
}

/** The members that are used here. */
interface Document extends Pick<Model, "name" | "version" | "expression_names" | "gaze_names" | "unobserved_arkit"> {
  networks: {
    mfn: NetworkSpec & { input_sizes: number[]; pad_value: number; levels: Level[] };
    sfn: NetworkSpec & { crop_factor: number };
  };
  upside_down?: UpsideDown;
  accuracy: Record<string, unknown>;
}

/** A network's file. input: the name of its input. */
export interface NetworkFile {
  file: string;
  sha256: string;
  input: string;
}

/** What the manifest tells: the model, as GET /model would, the networks' files, and how they are fed. */
export interface Published {
  model: Model;
  mfn: NetworkFile;
  sfn: NetworkFile;
  facts: NetworkFacts;
}

/** Reads the manifest. Throws LocalError where it is none, or of networks that this page cannot feed. */
export function readManifest(bytes: ArrayBuffer): Published {
  try {
    return published(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LocalError(
      "unavailable",
      `models/manifest.json is not the one of this page's networks: ${reason}. Its host has to restore it.`,
    );
  }
}

function published(document: Document): Published {
  const { mfn, sfn } = document.networks;
  const side = mfn.input_sizes[0];
  if (side === undefined) throw new Error("mfn has no input_sizes");
  if (mfn.pad_value !== PAD_GREY) throw new Error(`pad_value is ${mfn.pad_value}; expected ${PAD_GREY}`);
  if (mfn.input.dtype !== "uint8" || sfn.input.dtype !== "uint8") throw new Error("the inputs are not uint8");
  if (sfn.input.shape[1] !== CROP_SIDE) throw new Error(`the input of sfn is not ${CROP_SIDE} pixels wide`);
  if (document.gaze_names.length === 0) throw new Error("the networks see no gaze");
  const files = { mfn: fileOf("mfn", mfn), sfn: fileOf("sfn", sfn) };
  return {
    ...files,
    facts: {
      side,
      levels: mfn.levels,
      cropFactor: sfn.crop_factor,
      expressionNames: document.expression_names,
      upsideDown: document.upside_down,
    },
    model: {
      name: document.name,
      version: document.version,
      precision: "int8",
      networks: {
        mfn: { file: files.mfn.file, sha256: files.mfn.sha256, input: mfn.input.shape },
        sfn: { file: files.sfn.file, sha256: files.sfn.sha256, input: sfn.input.shape },
      },
      input_sizes: [side],
      expression_names: document.expression_names,
      arkit_names: [...ARKIT_NAMES],
      gaze_names: document.gaze_names,
      unobserved_arkit: document.unobserved_arkit,
      accuracy: document.accuracy,
    },
  };
}

function fileOf(name: string, { forms, input }: NetworkSpec): NetworkFile {
  const form = forms[FORM];
  if (!form) throw new Error(`${name} has no form ${FORM}`);
  return { ...form, input: input.name };
}
