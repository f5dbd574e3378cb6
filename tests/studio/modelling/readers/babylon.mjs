// Opens characters in Babylon.js, without a window, and tells what they have become there.
//
//     node babylon.mjs NODE_MODULES CHARACTER.glb ...
//
// Prints a line of JSON a character, see test_readers.py. NODE_MODULES: the folder with @babylonjs.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(modules, "@babylonjs", name)).href);
const { NullEngine } = await load("core/Engines/nullEngine.js");
const { Scene } = await load("core/scene.js");
const { Engine } = await load("core/Engines/engine.js");
const { LoadAssetContainerAsync } = await load("core/Loading/sceneLoader.js");
await load("loaders/glTF/2.0/glTFLoader.js");

/** Where the target of each name moves the vertices of meshes, and how: means, weighted by the square of the move. */
function targets(meshes) {
  const sums = new Map();
  for (const mesh of meshes) {
    const rest = mesh.getVerticesData("position");
    const morphs = mesh.morphTargetManager;
    for (let i = 0; i < morphs.numTargets; i++) {
      const target = morphs.getTarget(i);
      const moved = target.getPositions();
      const sum = sums.get(target.name) ?? [0, 0, 0, 0, 0, 0, 0];
      sums.set(target.name, sum);
      for (let v = 0; v < rest.length; v += 3) {
        const move = [0, 1, 2].map((axis) => moved[v + axis] - rest[v + axis]);
        const weight = move.reduce((all, part) => all + part * part, 0);
        sum[6] += weight;
        for (const axis of [0, 1, 2]) {
          sum[axis] += weight * rest[v + axis];
          sum[3 + axis] += weight * move[axis];
        }
      }
    }
  }
  return Object.fromEntries(
    [...sums].map(([name, sum]) => {
      const means = sum.map((part) => part / sum[6]);
      return [name, [means.slice(0, 3), means.slice(3, 6)]];
    }),
  );
}

for (const file of files) {
  const scene = new Scene(new NullEngine());
  scene.useRightHandedSystem = true;
  const container = await LoadAssetContainerAsync(await readFile(file), scene, { pluginExtension: ".glb" });
  container.addAllToScene();
  const node = (name) => scene.getTransformNodeByName(name) ?? scene.getMeshByName(name);
  const place = (name) => {
    node(name).computeWorldMatrix(true);
    return node(name).getAbsolutePosition().asArray();
  };
  const face = scene.meshes.filter((mesh) => mesh.morphTargetManager);
  const facts = {
    program: `Babylon.js ${Engine.Version}`,
    targets: targets(face),
    places: Object.fromEntries(["neck", "head", "eye_left", "eye_right"].map((name) => [name, place(name)])),
    materials: face.map((mesh) => mesh.material.name).sort(),
  };
  console.log(JSON.stringify(facts));
}
process.exit(0); // engines keep timers
