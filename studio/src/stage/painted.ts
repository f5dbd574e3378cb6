/** Characters for machines without a graphics card: vertices are bent and lit on the processor, once each, and what is
 * left for the shaders is to fill triangles. A fifteenth of the time that the usual materials take there.
 *
 * The lens is long, so that the light on a surface depends on its normal alone: it is looked up in a table of the
 * normals that face the viewer. Colours are those shown (sRGB), so the shader has nothing to convert. Triangles that
 * face away are left out: that halves what is drawn. */

import {
  BufferAttribute,
  BufferGeometry,
  DynamicDrawUsage,
  FrontSide,
  LinearFilter,
  Matrix4,
  Mesh,
  type MeshStandardMaterial,
  NoColorSpace,
  type Object3D,
  ShaderMaterial,
  type SkinnedMesh,
  type Texture,
  Vector3,
} from "three";
import { type Attribute, valuesOf } from "./attributes.ts";
import { CATCH_LIGHT, isGlossy } from "./catch-light.ts";
import { type LightTable, shown } from "./light-table.ts";

/** A mesh that stands in for another, whose vertices it shows as they are bent now. */
export class PaintedMesh {
  readonly mesh: Mesh<BufferGeometry, ShaderMaterial>;
  private readonly source: Mesh;
  private readonly light: LightTable;
  private readonly polish: number; // share of the gloss that the material shows
  private readonly from: Float32Array; // positions and normals of the source, which its morph targets move
  private readonly fromNormal: Float32Array;
  private readonly albedo: Float32Array; // linear, three values a vertex
  private readonly joints: Uint16Array; // four a vertex
  private readonly shares: Float32Array;
  private readonly bones: readonly { node: Object3D; inverse: Matrix4 | undefined }[];
  private readonly matrices: Float32Array; // of the bones, 16 values each, into the scene's frame
  private readonly triangles: ArrayLike<number> | undefined; // of which those are drawn that face the viewer

  /** source: with a MeshStandardMaterial. */
  constructor(source: Mesh, scene: Object3D, light: LightTable) {
    const material = source.material as MeshStandardMaterial;
    const { position, normal, color, uv, skinIndex, skinWeight } = source.geometry.attributes;
    const count = position?.count ?? 0;
    this.from = position ? liveValues(position) : new Float32Array(0);
    this.fromNormal = normal ? liveValues(normal) : new Float32Array(3 * count);
    this.source = source;
    this.light = light;
    this.albedo = new Float32Array(3 * count);
    this.joints = new Uint16Array(4 * count);
    this.shares = new Float32Array(4 * count);
    const skinned = source as SkinnedMesh;
    this.bones = skinned.isSkinnedMesh
      ? skinned.skeleton.bones.map((node, i) => ({ node, inverse: skinned.skeleton.boneInverses[i] }))
      : [{ node: source, inverse: undefined }];
    this.matrices = new Float32Array(16 * this.bones.length);
    this.polish = (1 - material.roughness) ** 2;
    const tint = material.color.toArray();
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 3; k++) {
        const vertexColour = material.vertexColors && color ? color.getComponent(i, k) : 1;
        this.albedo[3 * i + k] = (tint[k] ?? 1) * vertexColour;
      }
      for (let k = 0; k < 4; k++) {
        const skin = skinned.isSkinnedMesh && skinIndex && skinWeight;
        this.joints[4 * i + k] = skin ? skinIndex.getComponent(i, k) : 0;
        this.shares[4 * i + k] = skin ? skinWeight.getComponent(i, k) : k === 0 ? 1 : 0;
      }
    }
    const geometry = new BufferGeometry();
    const { index } = source.geometry;
    const culled = index && material.side === FrontSide;
    this.triangles = culled ? index.array : undefined;
    geometry.setIndex(culled ? index.clone().setUsage(DynamicDrawUsage) : index);
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(3 * count), 3).setUsage(DynamicDrawUsage));
    geometry.setAttribute("paint", new BufferAttribute(new Uint8Array(4 * count), 4, true).setUsage(DynamicDrawUsage));
    const glossy = isGlossy(material); // needs its highlights at each pixel
    if (glossy) {
      const normals = new BufferAttribute(new Float32Array(3 * count), 3).setUsage(DynamicDrawUsage);
      geometry.setAttribute("normal", normals);
    }
    if (material.map && uv) geometry.setAttribute("uv", uv);
    this.mesh = new Mesh(geometry, paint(material, glossy));
    this.mesh.frustumCulled = false;
    source.visible = false;
    scene.add(this.mesh);
  }

  /** Bends and lights the vertices, and chooses the triangles. toScene: from the world to the scene. The source's
   * matrices are up to date. */
  update(toScene: Matrix4): void {
    for (let i = 0; i < this.bones.length; i++) {
      const bone = this.bones[i];
      if (!bone) continue;
      matrix.multiplyMatrices(toScene, bone.node.matrixWorld);
      if (bone.inverse) matrix.multiply(bone.inverse).multiply((this.source as SkinnedMesh).bindMatrix);
      matrix.toArray(this.matrices as unknown as number[], 16 * i);
    }
    const { position, paint, normal } = this.mesh.geometry.attributes as Record<string, BufferAttribute>;
    if (!position || !paint) return;
    this.bend(position.array as Float32Array, paint.array as Uint8Array, normal?.array as Float32Array | undefined);
    for (const attribute of [position, paint, normal]) if (attribute) attribute.needsUpdate = true;
    const { index } = this.mesh.geometry;
    if (!this.triangles || !index) return;
    const from = viewer.copy(this.light.viewer).applyMatrix4(toScene);
    const drawn = facing(this.triangles, position.array as Float32Array, from, index.array as Uint16Array);
    this.mesh.geometry.setDrawRange(0, drawn);
    index.clearUpdateRanges();
    index.addUpdateRange(0, drawn);
    index.needsUpdate = true;
  }

  /** last: nobody else shows the source's geometry, and what is shared with it goes, too. */
  dispose(last: boolean): void {
    if (!last) {
      this.mesh.geometry.deleteAttribute("uv");
      if (!this.triangles) this.mesh.geometry.setIndex(null);
    }
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
    this.source.visible = true;
    this.mesh.removeFromParent();
  }

  /** The loop over the vertices: written for the compiler, with one pass and no objects. */
  private bend(to: Float32Array, paint: Uint8Array, toNormal: Float32Array | undefined): void {
    const { from, fromNormal } = this;
    const { joints, shares, matrices, albedo, light, polish } = this;
    const { size, diffuse, gloss } = light;
    const half = (size - 1) / 2;
    const m = blended;
    for (let v = 0, p = 0, c = 0; p < from.length; v += 4, p += 3, c += 4) {
      let all = matrices;
      let at = 16 * (joints[v] as number);
      if ((shares[v] as number) < 0.999) {
        m.fill(0);
        for (let k = v; k < v + 4; k++) {
          const share = shares[k] as number;
          const bone = 16 * (joints[k] as number);
          if (share > 0) for (let i = 0; i < 15; i++) m[i] = (m[i] as number) + share * (matrices[bone + i] as number);
        }
        all = m;
        at = 0;
      }
      const a = all[at] as number;
      const b = all[at + 1] as number;
      const d = all[at + 2] as number;
      const e = all[at + 4] as number;
      const f = all[at + 5] as number;
      const g = all[at + 6] as number;
      const h = all[at + 8] as number;
      const i = all[at + 9] as number;
      const j = all[at + 10] as number;
      const x = from[p] as number;
      const y = from[p + 1] as number;
      const z = from[p + 2] as number;
      to[p] = a * x + e * y + h * z + (all[at + 12] as number);
      to[p + 1] = b * x + f * y + i * z + (all[at + 13] as number);
      to[p + 2] = d * x + g * y + j * z + (all[at + 14] as number);
      const u = fromNormal[p] as number;
      const w = fromNormal[p + 1] as number;
      const t = fromNormal[p + 2] as number;
      let nx = a * u + e * w + h * t;
      let ny = b * u + f * w + i * t;
      let nz = d * u + g * w + j * t;
      const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
      nx /= length;
      ny /= length;
      nz /= length;
      const row = Math.round((ny + 1) * half);
      const place = 3 * (row * size + Math.round((nx + 1) * half));
      for (let k = 0; k < 3; k++) paint[c + k] = shown((albedo[p + k] as number) * (diffuse[place + k] as number));
      const lit = (albedo[p + 1] as number) * (diffuse[place + 1] as number);
      paint[c + 3] = shown(lit + polish * (gloss[place + 1] as number)) - (paint[c + 1] as number);
      if (toNormal) {
        toNormal[p] = nx;
        toNormal[p + 1] = ny;
        toNormal[p + 2] = nz;
      }
    }
  }
}

const matrix = new Matrix4();
const blended = new Float32Array(16);
const viewer = new Vector3();

/** Copies the triangles, three corners each, that face a viewer. points: three values a vertex. Returns how many values
 * are copied. */
export function facing(
  triangles: ArrayLike<number>,
  points: Float32Array,
  from: Vector3,
  to: Uint16Array | Uint32Array,
): number {
  let count = 0;
  for (let i = 0; i + 2 < triangles.length; i += 3) {
    const a = 3 * (triangles[i] as number);
    const b = 3 * (triangles[i + 1] as number);
    const c = 3 * (triangles[i + 2] as number);
    const ax = points[a] as number;
    const ay = points[a + 1] as number;
    const az = points[a + 2] as number;
    const bx = (points[b] as number) - ax;
    const by = (points[b + 1] as number) - ay;
    const bz = (points[b + 2] as number) - az;
    const cx = (points[c] as number) - ax;
    const cy = (points[c + 1] as number) - ay;
    const cz = (points[c + 2] as number) - az;
    const toward =
      (by * cz - bz * cy) * (from.x - ax) + (bz * cx - bx * cz) * (from.y - ay) + (bx * cy - by * cx) * (from.z - az);
    if (toward <= 0) continue;
    to[count++] = triangles[i] as number;
    to[count++] = triangles[i + 1] as number;
    to[count++] = triangles[i + 2] as number;
  }
  return count;
}

/** The values of an attribute: those that others change, where they are stored as they are used. */
function liveValues(attribute: Attribute): Float32Array {
  const plain = attribute instanceof BufferAttribute && !attribute.normalized && attribute.itemSize === 3;
  return plain && attribute.array instanceof Float32Array ? attribute.array : valuesOf(attribute);
}

/** Fills triangles with the colours of their corners, times the material's texture. */
function paint(material: MeshStandardMaterial, glossy: boolean): ShaderMaterial {
  const { map } = material;
  return new ShaderMaterial({
    uniforms: { map: { value: map && asShown(map) }, opacity: { value: material.opacity } },
    vertexShader: `
      attribute vec4 paint; varying vec4 colour; varying vec2 at; varying vec3 facing;
      #include <clipping_planes_pars_vertex>
      void main() {
        colour = paint;
        ${map ? "at = uv;" : ""}
        ${glossy ? "facing = normal;" : ""}
        vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
        gl_Position = projectionMatrix * mvPosition;
        #include <clipping_planes_vertex>
      }`,
    fragmentShader: `
      uniform sampler2D map; uniform float opacity; varying vec4 colour; varying vec2 at; varying vec3 facing;
      ${glossy ? CATCH_LIGHT.definition : ""}
      #include <clipping_planes_pars_fragment>
      void main() {
        #include <clipping_planes_fragment>
        vec4 shine = vec4(colour.rgb, opacity);
        ${map ? "shine *= texture2D(map, at);" : ""}
        shine.rgb += colour.a;
        ${glossy ? `shine.rgb += ${CATCH_LIGHT.call("facing")};` : ""}
        ${material.alphaTest > 0 ? `if (shine.a < ${material.alphaTest.toFixed(3)}) discard;` : ""}
        gl_FragColor = ${material.transparent ? "shine" : "vec4(shine.rgb, 1.0)"};
      }`,
    transparent: material.transparent,
    depthWrite: material.depthWrite,
    side: material.side ?? FrontSide,
    toneMapped: false,
    clipping: true,
  });
}

/** A texture whose values are used as they are stored. Smaller copies are not looked for: that takes half of the time. */
function asShown(map: Texture): Texture {
  if (map.colorSpace !== NoColorSpace) {
    map.colorSpace = NoColorSpace;
    map.minFilter = LinearFilter;
    map.generateMipmaps = false;
    map.needsUpdate = true;
  }
  return map;
}
