/** Opens a take's .glb in three.js, plays it, and prints as JSON what the character does at some times.
 *
 * node three.mjs NODE_MODULES TAKE.glb SECONDS... */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file, ...seconds] = process.argv.slice(2);
const open = (path) => import(pathToFileURL(join(modules, "three", path)).href);
const { AnimationMixer, Quaternion, Texture } = await open("build/three.module.js");
const { GLTFLoader } = await open("examples/jsm/loaders/GLTFLoader.js");

globalThis.self = globalThis; // as in a browser, where the loader looks for URL
const loader = new GLTFLoader();
// Node decodes no pictures; the motion does not need them.
loader.register(() => ({ name: "no_pictures", loadTexture: async () => new Texture() }));
const { buffer } = new Uint8Array(await readFile(file));
const { scene, animations } = await loader.parseAsync(buffer, "");

const faces = [];
scene.traverse((mesh) => mesh.morphTargetDictionary && faces.push(mesh));
const [animation] = animations;
const mixer = new AnimationMixer(scene);
mixer.clipAction(animation).play();

function shown(time) {
  mixer.setTime(time);
  scene.updateMatrixWorld(true);
  const weights = faces.map((mesh) =>
    Object.fromEntries(
      Object.entries(mesh.morphTargetDictionary).map(([name, place]) => [name, mesh.morphTargetInfluences[place]]),
    ),
  );
  const node = (name) => scene.getObjectByName(name);
  const world = node("head").getWorldQuaternion(new Quaternion()).toArray();
  const eyes = ["eye_left", "eye_right"].map((name) => node(name).quaternion.toArray());
  return { weights, head: world, neck: node("neck").quaternion.toArray(), eyes };
}

console.log(
  JSON.stringify({
    name: animation.name,
    duration: animation.duration,
    animations: animations.length,
    frames: seconds.map((text) => shown(Number(text))),
  }),
);
