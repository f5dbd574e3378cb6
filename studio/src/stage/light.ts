/** The studio's light: a key from the upper left, a cool rim from behind, and soft boxes all around, made in code. */

import {
  BackSide,
  BoxGeometry,
  Color,
  DirectionalLight,
  HemisphereLight,
  Mesh,
  MeshBasicMaterial,
  PMREMGenerator,
  Scene,
  type Texture,
  type WebGLRenderer,
} from "three";

/** Adds the lamps to a scene. alone: without soft boxes, whose part a light from all around takes. */
export function addLamps(scene: Scene, alone: boolean): void {
  const lamp = (colour: number, intensity: number, x: number, y: number, z: number) => {
    const light = new DirectionalLight(colour, intensity);
    light.position.set(x, y, z);
    scene.add(light, light.target);
  };
  lamp(0xfff1e0, 2.1, -3, 4, 5); // key
  lamp(0xbfd4ff, 0.8, 4, 3, -4); // rim
  if (alone) scene.add(new HemisphereLight(0xf2f4ff, 0xb8a898, 1.2));
}

/** What surfaces reflect: a room with soft boxes. The texture is the caller's to dispose. */
export function softBoxes(renderer: WebGLRenderer): Texture {
  const room = new Scene();
  const box = new BoxGeometry();
  const put = (
    brightness: number,
    colour: number,
    position: [number, number, number],
    size: [number, number, number],
    side?: typeof BackSide,
  ) => {
    const material = new MeshBasicMaterial({ color: new Color(colour).multiplyScalar(brightness) });
    if (side !== undefined) material.side = side;
    const mesh = new Mesh(box, material);
    mesh.position.set(...position);
    mesh.scale.set(...size);
    room.add(mesh);
  };
  put(0.32, 0xf2f4ff, [0, 0, 0], [20, 14, 20], BackSide); // walls
  put(0.5, 0xfff4ea, [0, -6.9, 0], [20, 0.1, 20]); // floor: light from below softens the chin
  put(7, 0xfff6ea, [-6, 5, 6.5], [5, 4, 0.1]); // key
  put(2.5, 0xeaf1ff, [7, 3, 6], [3, 5, 0.1]); // fill
  put(3, 0xffffff, [0, 6.8, 1], [9, 0.1, 6]); // above
  put(4, 0xdfe9ff, [8.5, 2, -5], [0.1, 6, 4]); // rims
  put(3, 0xdfe9ff, [-8.5, 2, -5], [0.1, 6, 4]);
  const generator = new PMREMGenerator(renderer);
  const { texture } = generator.fromScene(room, 0.035, 0.1, 100, { size: 128 });
  generator.dispose();
  box.dispose();
  room.traverse((node) => {
    if (node instanceof Mesh) (node.material as MeshBasicMaterial).dispose();
  });
  return texture;
}
