/** What lies behind and below the characters: a soft gradient, and a shadow with a person's colour under each. */

import { Color, CustomBlending, Mesh, OneFactor, OneMinusSrcAlphaFactor, PlaneGeometry, ShaderMaterial } from "three";
import type { ColourScheme } from "./stage.ts";

// sRGB, as they are shown: the middle of the light, and the corners.
const GRADIENTS: Record<ColourScheme, { centre: string; edge: string }> = {
  light: { centre: "#fdfdfe", edge: "#d3d9e2" },
  dark: { centre: "#353a44", edge: "#0e1014" },
};

const NOISE = `
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
  gl_FragColor.rgb += noise / 255.0;`;

/** The gradient that fills the picture. */
export class Backdrop {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;

  /** software: the processor draws, and saves itself the noise that hides a gradient's steps of eight bits. */
  constructor(software: boolean) {
    const material = new ShaderMaterial({
      uniforms: { centre: { value: new Color() }, edge: { value: new Color() } },
      vertexShader: `
        uniform vec3 centre; uniform vec3 edge; varying vec3 colour;
        void main() {
          float far = clamp(length(position.xy - vec2(0.0, 0.15)) / 1.35, 0.0, 1.0);
          colour = mix(centre, edge, far * far * (3.0 - 2.0 * far));
          gl_Position = vec4(position.xy, 1.0, 1.0);
        }`,
      fragmentShader: `
        varying vec3 colour;
        void main() {
          gl_FragColor = vec4(colour, 1.0);
          ${software ? "" : NOISE}
        }`,
      depthTest: false,
      depthWrite: false,
      toneMapped: false,
    });
    this.mesh = new Mesh(new PlaneGeometry(2, 2, 24, 16), material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = -2;
  }

  set colourScheme(scheme: ColourScheme) {
    const { centre, edge } = GRADIENTS[scheme];
    const { uniforms } = this.mesh.material;
    // The shader writes what is shown: the colours stay as sRGB.
    uniforms.centre?.value.setStyle(centre).convertLinearToSRGB();
    uniforms.edge?.value.setStyle(edge).convertLinearToSRGB();
  }
}

/** The shadow where a character touches the ground, and light of the person's colour around it, as seen from the front:
 * a flat ellipse. The mesh is one unit wide. */
export class Footing {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;

  constructor(colour: string) {
    const material = new ShaderMaterial({
      uniforms: { colour: { value: new Color() }, opacity: { value: 1 }, shade: { value: 0.5 } },
      vertexShader: `
        varying vec2 at;
        void main() { at = 2.0 * uv - 1.0; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`,
      fragmentShader: `
        uniform vec3 colour; uniform float opacity; uniform float shade; varying vec2 at;
        void main() {
          float far = length(at);
          float shadow = shade * (1.0 - smoothstep(0.35, 0.8, far));
          float glow = 0.42 * (1.0 - smoothstep(0.5, 1.0, far));
          float line = 0.9 * smoothstep(0.035, 0.01, abs(far - 0.82));
          float light = max(glow, line);
          float alpha = shadow + light * (1.0 - shadow);
          gl_FragColor = opacity * vec4(colour * light * (1.0 - shadow), alpha);
        }`,
      blending: CustomBlending, // drawn before the characters, with what is opaque
      blendSrc: OneFactor,
      blendDst: OneMinusSrcAlphaFactor,
      depthTest: false,
      depthWrite: false,
      toneMapped: false,
    });
    this.mesh = new Mesh(new PlaneGeometry(1, 0.19), material);
    this.mesh.renderOrder = -1;
    this.colour = colour;
  }

  /** A CSS colour. */
  set colour(colour: string) {
    this.mesh.material.uniforms.colour?.value.setStyle(colour).convertLinearToSRGB();
  }

  set opacity(opacity: number) {
    const uniform = this.mesh.material.uniforms.opacity;
    if (uniform) uniform.value = opacity;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
