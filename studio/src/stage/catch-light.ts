/** The windows that glossy eyes reflect. They stand lower than the lamps, since lids hide the upper part of an eye. */

import type { MeshStandardMaterial } from "three";

const GLOSSY_BELOW = 0.25; // roughness

/** Whether a material is as glossy as an eye. */
export function isGlossy({ roughness }: MeshStandardMaterial): boolean {
  return roughness < GLOSSY_BELOW;
}

/** GLSL: the function's definition, and a call of it with a normal as the viewer sees it, z toward them. It gives the
 * light that is reflected. */
export const CATCH_LIGHT = {
  definition: `
    float windowAt(vec2 away, vec2 middle, vec2 half_) {
      vec2 outside = abs(away - middle) / half_;
      return smoothstep(1.15, 0.85, max(outside.x, outside.y));
    }
    float catchLight(vec3 normal) {
      vec3 n = normalize(normal);
      vec2 away = 2.0 * n.z * n.xy; // where a look from the front is sent, across
      float light = 0.9 * windowAt(away, vec2(-0.4, 0.3), vec2(0.2, 0.17));
      light += 0.25 * windowAt(away, vec2(0.5, 0.1), vec2(0.09, 0.2));
      return light * step(0.5, n.z * n.z);
    }`,
  call: (normal: string) => `catchLight(${normal})`,
};

/** Adds the windows to a material of three.js, in front of what its lamps and surroundings give. */
export function addCatchLight(material: MeshStandardMaterial): void {
  material.onBeforeCompile = (shader) => {
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", `#include <common>\n${CATCH_LIGHT.definition}`)
      .replace(
        "#include <opaque_fragment>",
        `outgoingLight += ${CATCH_LIGHT.call("normal")};\n#include <opaque_fragment>`,
      );
  };
}
