import { expect, test } from "vitest";
import { parseParameters } from "../../src/page/parameters.ts";

test("a plain address chooses nothing", () => {
  expect(parseParameters("")).toEqual({
    obs: false,
    engine: "server",
    camera: "",
    characters: [],
    unknownCharacters: [],
    mirror: undefined,
    refine: undefined,
    smoothing: undefined,
  });
});

test("all can be chosen", () => {
  const query = "?obs=1&engine=local&camera=Logi%20C920&characters=goblin,Cat&mirror=0&refine=1&smoothing=true";
  expect(parseParameters(query)).toEqual({
    obs: true,
    engine: "local",
    camera: "Logi C920",
    characters: ["goblin", "cat"],
    unknownCharacters: [],
    mirror: false,
    refine: true,
    smoothing: true,
  });
});

test("static files find faces in the browser unless the address says otherwise", () => {
  expect(parseParameters("", "local").engine).toBe("local");
  expect(parseParameters("?engine=server", "local").engine).toBe("server");
});

test("what is not understood is left out", () => {
  expect(parseParameters("?engine=cloud&characters=../x,robot,,<b>,../x&mirror=maybe&what=1")).toMatchObject({
    engine: "server",
    characters: ["robot"],
    unknownCharacters: ["../x", "<b>"],
    mirror: undefined,
  });
});
