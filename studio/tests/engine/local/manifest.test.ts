import { readFileSync } from "node:fs";
import { EXPRESSION_NAMES, GAZE_NAMES } from "mfn-client";
import { expect, test } from "vitest";
import { readManifest } from "../../../src/engine/local/manifest.ts";

const TEXT = readFileSync(new URL("../../../../models/manifest.json", import.meta.url), "utf8");

function bytesOf(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer as ArrayBuffer;
}

test("the published manifest", () => {
  const { model, mfn, sfn, facts } = readManifest(bytesOf(TEXT));
  expect(model).toMatchObject({ name: "mfn", precision: "int8", input_sizes: [288], unobserved_arkit: ["tongueOut"] });
  expect(model.expression_names).toEqual(EXPRESSION_NAMES);
  expect(model.gaze_names).toEqual(GAZE_NAMES);
  expect([mfn.file, sfn.file]).toEqual(["mfn.int8.onnx", "sfn.int8.onnx"]);
  expect(mfn.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(facts).toMatchObject({ side: 288, cropFactor: 1.4 });
  expect(facts.levels.map(({ stride }) => stride)).toEqual([8, 16, 32]);
});

test.each([
  ["", "JSON"],
  ["{}", "networks"],
  [TEXT.replace('"pad_value": 114', '"pad_value": 0'), "pad_value is 0; expected 114"],
  [TEXT.replaceAll('"int8.onnx"', '"int4.onnx"'), "mfn has no form int8.onnx"],
  [TEXT.replaceAll('"uint8"', '"float32"'), "not uint8"],
])("a manifest that is none, or of other networks (%#)", (text, reason) => {
  const told = () => readManifest(bytesOf(text));
  expect(told).toThrow(/^models\/manifest\.json is not the one of this page's networks: .+ has to restore it\.$/);
  expect(told).toThrow(reason);
});
