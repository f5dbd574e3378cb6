/** Morph targets added up on the processor.
 *
 * A face at any moment uses some ten of its targets, and each of them moves a part of the vertices. Adding up those
 * parts and sending the sums costs less than a vertex shader that looks up every target in a texture, by far where
 * shaders run on the processor too, and saves the textures' memory: 32 bytes a vertex and target. */

import { BufferAttribute, BufferGeometry, DynamicDrawUsage, type Mesh } from "three";
import { type Attribute, valuesOf } from "./attributes.ts";

/** One target: the vertices that it moves, and by how much (three values each). */
interface Target {
  vertices: Uint32Array;
  positions: Float32Array;
  normals: Float32Array | undefined;
}

const SMALLEST_MOVE = 1e-6; // of the file's unit: metres
const SMALLEST_TURN = 1e-3; // of a normal

/** The targets of a geometry, for all the meshes that show it. */
export class MorphTargets {
  readonly basePositions: Float32Array;
  readonly baseNormals: Float32Array | undefined;
  readonly targets: readonly Target[];

  constructor(geometry: BufferGeometry) {
    const { position, normal } = geometry.attributes;
    if (!position) throw new Error("A mesh has no vertices.");
    const normalTargets = geometry.morphAttributes.normal;
    const positionTargets = geometry.morphAttributes.position ?? [];
    this.basePositions = valuesOf(position);
    this.baseNormals = normal && normalTargets ? valuesOf(normal) : undefined;
    // For what a target leaves as it is, the loader gives the base itself, even where targets are differences.
    const from = (base: Attribute | undefined, values: Float32Array | undefined, target: Attribute) =>
      geometry.morphTargetsRelative && target !== base ? undefined : values;
    this.targets = positionTargets.map((target, i) => {
      const turned = normalTargets?.[i];
      return sparse(
        differences(target, from(position, this.basePositions, target)),
        turned && differences(turned, from(normal, this.baseNormals, turned)),
      );
    });
  }

  /** Greatest distance that a target moves a vertex. */
  reach(index: number): number {
    return this.targets[index]?.positions.reduce((most, move) => Math.max(most, Math.abs(move)), 0) ?? 0;
  }
}

/** The vertices of one mesh, moved by the mesh's morphTargetInfluences. */
export class MorphedMesh {
  private readonly mesh: Mesh;
  private readonly targets: MorphTargets;
  private readonly shown: Float32Array; // the influences that the vertices are at now
  private readonly shared: BufferGeometry;

  /** Gives the mesh a geometry of its own, of which all but positions and normals is shared with the one it had. */
  constructor(mesh: Mesh, targets: MorphTargets) {
    const influences = mesh.morphTargetInfluences ?? [];
    this.mesh = mesh;
    this.targets = targets;
    this.shared = mesh.geometry;
    this.shown = new Float32Array(influences.length);
    const own = new BufferGeometry();
    for (const [name, attribute] of Object.entries(this.shared.attributes)) own.setAttribute(name, attribute);
    own.setIndex(this.shared.index);
    for (const { start, count, materialIndex } of this.shared.groups) own.addGroup(start, count, materialIndex);
    own.setAttribute("position", dynamic(targets.basePositions));
    if (targets.baseNormals) own.setAttribute("normal", dynamic(targets.baseNormals));
    own.boundingSphere = this.shared.boundingSphere;
    mesh.geometry = own;
    mesh.frustumCulled = false; // the sphere is of the face at rest
  }

  /** Moves the vertices to where the influences put them. */
  update(): void {
    const influences = this.mesh.morphTargetInfluences ?? [];
    let changed = false;
    for (let i = 0; i < this.shown.length; i++) changed ||= Math.fround(influences[i] ?? 0) !== this.shown[i];
    if (!changed) return;
    this.shown.set(influences);
    const { position, normal } = this.mesh.geometry.attributes as Record<string, BufferAttribute>;
    if (position) this.add(position, this.targets.basePositions, "positions");
    if (normal && this.targets.baseNormals) this.add(normal, this.targets.baseNormals, "normals");
  }

  /** Frees the mesh's vertices on the graphics card. last: nobody else shows the geometry, and what is shared goes, too. */
  dispose(last: boolean): void {
    const own = this.mesh.geometry;
    if (!last) {
      for (const name of Object.keys(this.shared.attributes)) {
        if (own.attributes[name] === this.shared.attributes[name]) own.deleteAttribute(name);
      }
      own.setIndex(null);
    }
    own.dispose();
    this.mesh.geometry = this.shared;
  }

  private add(attribute: BufferAttribute, base: Float32Array, kind: "positions" | "normals"): void {
    const sums = attribute.array as Float32Array;
    sums.set(base);
    for (let i = 0; i < this.shown.length; i++) {
      const influence = this.shown[i] ?? 0;
      const target = this.targets.targets[i];
      const moves = target?.[kind];
      if (influence === 0 || !target || !moves) continue;
      const { vertices } = target;
      for (let j = 0, k = 0; j < vertices.length; j++, k += 3) {
        const at = 3 * (vertices[j] as number);
        sums[at] = (sums[at] as number) + influence * (moves[k] as number);
        sums[at + 1] = (sums[at + 1] as number) + influence * (moves[k + 1] as number);
        sums[at + 2] = (sums[at + 2] as number) + influence * (moves[k + 2] as number);
      }
    }
    attribute.needsUpdate = true;
  }
}

function dynamic(values: Float32Array): BufferAttribute {
  return new BufferAttribute(values.slice(), 3).setUsage(DynamicDrawUsage);
}

function differences(target: Attribute, base: Float32Array | undefined): Float32Array {
  const values = valuesOf(target);
  if (base) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - (base[i] ?? 0);
  return values;
}

function sparse(positions: Float32Array, normals: Float32Array | undefined): Target {
  const moved = new Uint32Array(positions.length / 3);
  let count = 0;
  for (let vertex = 0; vertex < moved.length; vertex++) {
    const far = exceeds(positions, vertex, SMALLEST_MOVE) || (normals && exceeds(normals, vertex, SMALLEST_TURN));
    if (far) moved[count++] = vertex;
  }
  const vertices = moved.slice(0, count);
  return { vertices, positions: picked(positions, vertices), normals: normals && picked(normals, vertices) };
}

/** Whether one of a vertex' three values is beyond a least one. */
function exceeds(values: Float32Array, vertex: number, least: number): boolean {
  for (let i = 3 * vertex; i < 3 * vertex + 3; i++) if (Math.abs(values[i] as number) > least) return true;
  return false;
}

function picked(values: Float32Array, vertices: Uint32Array): Float32Array {
  const some = new Float32Array(3 * vertices.length);
  for (let i = 0; i < some.length; i++)
    some[i] = values[3 * (vertices[Math.floor(i / 3)] as number) + (i % 3)] as number;
  return some;
}
