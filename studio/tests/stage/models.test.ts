import { expect, test, vi } from "vitest";
import { Models } from "../../src/stage/models.ts";
import { CharacterError } from "../../src/stage/stage.ts";
import { glb } from "./glb-file.ts";

const target = (POSITION: unknown) => ({ POSITION });

test.each([
  ["its targets", { POSITION: 0 }, [target(1), { POSITION: 0, COLOR_0: 99 }]], // there is no 99
  ["its bounds", { NORMAL: 1, POSITION: 0 }, [target({}), target(0)]],
])(
  "a damaged file is refused, and nothing that the loader has begun is left unhandled: %s",
  async (_, attributes, targets) => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const accessor = { bufferView: 0, componentType: 5126, count: 3, type: "VEC3", min: [0, 0, 0], max: [1, 1, 1] };
    const document = {
      accessors: [accessor, { ...accessor, componentType: 7 }], // the second cannot be read once its bytes are there
      meshes: [{ primitives: [{ attributes, targets }], extras: { targetNames: ["jawOpen", "other"] } }],
    };
    const file = new File([glb({ targets: ["jawOpen"], document })], "damaged.glb");
    await expect(new Models(undefined).wear({ file })).rejects.toThrow(CharacterError);
    await new Promise((resolve) => setTimeout(resolve)); // rejections are told after a turn
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  },
);
