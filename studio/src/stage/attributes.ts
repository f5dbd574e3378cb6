/** The values of vertices, whatever a file stores them as. */

import type { BufferAttribute, InterleavedBufferAttribute } from "three";

export type Attribute = BufferAttribute | InterleavedBufferAttribute;

/** Three values a vertex, copied. */
export function valuesOf(attribute: Attribute): Float32Array {
  const values = new Float32Array(3 * attribute.count);
  for (let i = 0; i < attribute.count; i++) {
    for (let axis = 0; axis < 3; axis++) values[3 * i + axis] = attribute.getComponent(i, axis);
  }
  return values;
}
