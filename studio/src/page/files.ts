/** What becomes of a file that the reader drops or chooses. */

import { fileKind } from "../sources/file-kind.ts";
import type { Sources } from "../sources/sources.ts";
import type { Stage } from "../stage/stage.ts";
import type { Notices } from "../view/notices.ts";

export class Files {
  readonly #stage: Stage;
  readonly #sources: Sources;
  readonly #notices: Notices;
  readonly #wear: (person: number, file: File) => void;

  /** wear: a person takes a file as a character. */
  constructor(stage: Stage, sources: Sources, notices: Notices, wear: (person: number, file: File) => void) {
    this.#stage = stage;
    this.#sources = sources;
    this.#notices = notices;
    this.#wear = wear;
  }

  /** Looks at a video or a picture; has the person at x wear a character. x: 0 left to 1 right of the window. */
  take(file: File, x = 0): void {
    const kind = fileKind(file);
    this.#notices.clear("source");
    if (kind === "video" || kind === "picture") void this.#sources.file(file, kind);
    else if (kind === "character") this.#wearAt(x, file);
    else
      this.#notices.show("source", {
        title: "This file is of no use here",
        detail: `${file.name} is no video, picture or character. Drop a video, a picture, a .glb or a .vrm.`,
      });
  }

  #wearAt(x: number, file: File): void {
    const order = this.#stage.states.map(({ person }) => person);
    if (this.#stage.mirror) order.reverse();
    const person = order[Math.min(order.length - 1, Math.floor(x * order.length))];
    if (person !== undefined) this.#wear(person, file);
    else
      this.#notices.show("character", {
        title: "Nobody is there",
        detail: "Wait until a face is seen, and drop the file again.",
      });
  }
}
