/** Where characters come from: files that are read once, checked, and shown as often as people wear them. */

import {
  LoadingManager,
  type Material,
  type Mesh,
  MeshPhysicalMaterial,
  MeshStandardMaterial,
  type Object3D,
  Texture,
} from "three";
import { type GLTF, GLTFLoader, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { clone } from "three/addons/utils/SkeletonUtils.js";
import { addCatchLight, isGlossy } from "./catch-light.ts";
import { type Character, GltfCharacter, meshesOf } from "./character.ts";
import { checkSize, type GltfDocument, isVrm, nameTargets, readGlb } from "./glb.ts";
import { Idle } from "./idle.ts";
import type { LightTable } from "./light-table.ts";
import { MorphTargets } from "./morphs.ts";
import { neutralPose } from "./motion.ts";
import { CharacterError, type CharacterSource } from "./stage.ts";

/** A file's scene, of which each character is a copy that shares textures, materials and what does not move. */
class Model {
  private readonly gltf: GLTF;
  private readonly targets = new Map<Mesh["geometry"], MorphTargets>();
  private worn = 0;
  private readonly gone: () => void;

  /** gone: called when nobody wears it any longer. */
  constructor(gltf: GLTF, gone: () => void) {
    this.gltf = gltf;
    this.gone = gone;
    removeLights(gltf);
    for (const mesh of meshesOf(gltf.scene)) {
      mesh.material = Array.isArray(mesh.material) ? mesh.material.map(prepared) : prepared(mesh.material);
      if (!mesh.geometry.attributes.normal) mesh.geometry.computeVertexNormals();
      if (!mesh.geometry.morphAttributes.position || this.targets.has(mesh.geometry)) continue;
      this.targets.set(mesh.geometry, new MorphTargets(mesh.geometry));
      mesh.geometry.morphAttributes = {}; // the processor adds them up
    }
  }

  wear(light: LightTable | undefined): Character {
    this.worn++;
    const scene = clone(this.gltf.scene) as GLTF["scene"];
    return new GltfCharacter(
      scene,
      this.targets,
      () => {
        this.worn--;
        if (this.worn > 0) return false;
        disposeScene(this.gltf.scene);
        this.gone();
        return true;
      },
      light,
    );
  }
}

/** Reads files and keeps those that are worn. */
export class Models {
  private readonly named = new Map<string, Promise<Model>>();
  private readonly light: LightTable | undefined;

  /** light: where the processor lights the vertices. */
  constructor(light: LightTable | undefined) {
    this.light = light;
  }

  /** A character of a source, at rest. Rejects with CharacterError. */
  async wear(source: CharacterSource): Promise<Character> {
    try {
      const character = await this.open(source);
      character.move(neutralPose(), new Idle(), 0);
      return character;
    } catch (error) {
      if (error instanceof CharacterError) throw error;
      throw new CharacterError("The character cannot be shown: its file is damaged. Export it again.");
    }
  }

  private async open(source: CharacterSource): Promise<Character> {
    if ("file" in source) return wearFile(source.file, this.light);
    return (await this.model(source.name)).wear(this.light);
  }

  /** Has a character's file there before somebody wears it. */
  prepare(name: string): void {
    this.model(name).catch(() => {}); // told to who wears it, for whom it is fetched again
  }

  private model(name: string): Promise<Model> {
    const known = this.named.get(name);
    if (known) return known;
    const model = this.fetch(name);
    this.named.set(name, model);
    model.catch(() => this.named.delete(name));
    return model;
  }

  private async fetch(name: string): Promise<Model> {
    const url = new URL(`characters/${encodeURIComponent(name)}.glb`, document.baseURI);
    const response = await fetch(url).catch(() => undefined);
    if (!response?.ok) {
      const why = response ? `status ${response.status}` : "no answer";
      throw new CharacterError(`The character ${name} cannot be fetched (${why}). Is the server there? Try again.`);
    }
    const bytes = await response.arrayBuffer();
    readGlb(bytes);
    return new Model(await parse(newLoader(), bytes), () => this.named.delete(name));
  }
}

async function wearFile(file: File, light: LightTable | undefined): Promise<Character> {
  checkSize(file.size);
  const bytes = await file.arrayBuffer().catch(() => {
    throw new CharacterError("The file cannot be read. Is it still where it was?");
  });
  const loader = newLoader();
  if (!isVrm(readGlb(bytes))) return new Model(await parse(loader, bytes), () => {}).wear(light);
  const { wearVrm } = await import("./vrm.ts");
  return wearVrm(loader, (vrmLoader) => parse(vrmLoader, bytes));
}

/** Parses a checked file. Rejects with CharacterError, whose cause is what the loader says. */
async function parse(loader: GLTFLoader, bytes: ArrayBuffer): Promise<GLTF> {
  try {
    return await loader.parseAsync(bytes, "");
  } catch (cause) {
    throw new CharacterError("The file is damaged: its scene cannot be put together. Export it again.", { cause });
  }
}

function newLoader(): GLTFLoader {
  return new GLTFLoader(closedManager()).register((parser) => {
    settleAll(parser);
    return {
      name: "target names",
      beforeRoot: () => {
        nameTargets(parser.json as GltfDocument);
        delete parser.json.animations; // nothing plays them
        return null;
      },
    };
  });
}

/** Has a parser wait for all that it asks for. Where one part of a damaged file threw at once, in place of rejecting,
 * nobody would wait for the parts asked for before, and handle that they fail, too. */
function settleAll(parser: GLTFParser): void {
  const getDependency = parser.getDependency.bind(parser);
  parser.getDependency = async (type, index) => await getDependency(type, index);
}

/** Loads what lies inside the file and nothing else. */
function closedManager(): LoadingManager {
  const manager = new LoadingManager();
  manager.setURLModifier((url) => {
    if (!/^(blob|data):/.test(url)) throw new CharacterError("The file refers to other files, which are not loaded.");
    return url;
  });
  return manager;
}

function removeLights(gltf: GLTF): void {
  const lights: Object3D[] = [];
  gltf.scene.traverse((node) => {
    if ("isLight" in node) lights.push(node);
  });
  for (const light of lights) light.removeFromParent();
}

/** A material without the effects that cost most, clear coat, transmission, sheen, and with what eyes reflect. */
function prepared(material: Material): Material {
  if (!(material instanceof MeshStandardMaterial)) return material;
  let plain = material;
  if (material instanceof MeshPhysicalMaterial) {
    plain = new MeshStandardMaterial();
    MeshStandardMaterial.prototype.copy.call(plain, material);
  }
  if (isGlossy(plain)) addCatchLight(plain);
  return plain;
}

/** Frees what a scene holds on the graphics card. */
export function disposeScene(scene: GLTF["scene"]): void {
  for (const mesh of meshesOf(scene)) {
    mesh.geometry.dispose();
    for (const material of [mesh.material].flat()) {
      for (const value of Object.values(material)) {
        if (!(value instanceof Texture)) continue;
        if (value.image instanceof ImageBitmap) value.image.close();
        value.dispose();
      }
      material.dispose();
    }
  }
}
