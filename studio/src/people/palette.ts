/** The colours that tell people apart, the same in the camera's picture, the bars and on the stage.
 *
 * Their luminance lies between .15 and .24, so that each has a contrast of 3:1 or more to the light and to the dark
 * ground. The first six stay apart with red-green blindness. A person is always told by a number, too. */
export const PALETTE = [
  "#3183d5", // blue
  "#c96f06", // orange
  "#2d976d", // green
  "#7c43fe", // violet
  "#da0642", // red
  "#a6508d", // rose
  "#1f8aa0", // teal
  "#777e88", // grey
] as const;

/** The colour of a person, by a number from 1. */
export function colourOf(person: number): string {
  return PALETTE[(person - 1) % PALETTE.length] ?? PALETTE[0];
}
