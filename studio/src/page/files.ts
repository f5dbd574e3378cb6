/** What becomes of a file that the reader drops or chooses. */

import { fileKind } from "../sources/file-kind.ts";
import type { Sources } from "../sources/sources.ts";
import type { Stage } from "../stage/stage.ts";
import type { Notices } from "../view/notices.ts";

/** CSS pixels from the upper left of the window, which the stage fills. */
export interface Point {
  x: number;
  y: number;
}

export class Files {
  readonly #stage: Pick<Stage, "personAt">;
  readonly #sources: Sources;
  readonly #notices: Notices;
  readonly #wear: (person: number, file: File) => void;

  /** wear: a person takes a file as a character. */
  constructor(
    stage: Pick<Stage, "personAt">,
    sources: Sources,
    notices: Notices,
    wear: (person: number, file: File) => void,
  ) {
    this.#stage = stage;
    this.#sources = sources;
    this.#notices = notices;
    this.#wear = wear;
  }

  /** Looks at a video or a picture; has the person nearest to a point of the window wear a character. */
  take(file: File, point: Point = { x: innerWidth / 2, y: innerHeight / 2 }): void {
    const kind = fileKind(file);
    this.#notices.clear("source");
    if (kind === "video" || kind === "picture") void this.#sources.file(file, kind);
    else if (kind === "character") this.#wearAt(point, file);
    else
      this.#notices.show("source", {
        title: "This file is of no use here",
        detail: `${file.name} is no video, picture or character. Drop a video, a picture, a .glb or a .vrm.`,
      });
  }

  #wearAt({ x, y }: Point, file: File): void {
    this.#notices.clear("character");
    const person = this.#stage.personAt(x, y);
    if (person !== undefined) this.#wear(person, file);
    else
      this.#notices.show("character", {
        title: "Nobody is there",
        detail: "Wait until a face is seen, and drop the file again.",
      });
  }
}
