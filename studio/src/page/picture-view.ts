/** The picture that is looked at, with what is found drawn over it. */

import type { Source } from "../sources/source.ts";
import { Inset } from "../view/inset.ts";
import { type FaceMesh, fetchFaceMesh } from "../view/mesh/face-mesh.ts";
import type { Notices } from "../view/notices.ts";
import { type Drawing, drawOverlay } from "../view/overlay.ts";
import type { Settings } from "./settings.ts";

const NOTHING: Drawing = { seen: [], image: { width: 0, height: 0 } };

/** Whether the face mesh is drawn, for which faces need their identity. */
export function showsMesh({ inset, overlay }: Pick<Settings, "inset" | "overlay">): boolean {
  return inset.value && ["mesh", "all"].includes(overlay.value);
}

export class PictureView {
  readonly inset: Inset;
  readonly #settings: Settings;
  readonly #notices: Notices;
  #drawing = NOTHING;
  #mesh: FaceMesh | undefined;
  #fetching = false;

  constructor(settings: Settings, notices: Notices) {
    this.#settings = settings;
    this.#notices = notices;
    this.inset = new Inset(settings.insetPlace.value, {
      moved: (place) => {
        settings.insetPlace.value = place;
      },
      hidden: () => {
        settings.inset.value = false;
      },
    });
    settings.mirror.follow((mirror) => {
      this.inset.mirrored = mirror;
      this.#redraw();
    });
    for (const signal of [settings.overlay, settings.inset]) {
      signal.follow(() => {
        this.#redraw();
        void this.#fetchMesh();
      });
    }
  }

  /** Pixels of the frame that was looked at last; 0 before there is one. */
  get frame(): { width: number; height: number } {
    return this.#drawing.image;
  }

  show(source: Source | undefined): void {
    this.inset.show(source);
  }

  /** Draws what is found. */
  draw(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#redraw();
  }

  /** Nothing is found now. */
  clear(): void {
    this.draw(NOTHING);
  }

  #redraw(): void {
    const { inset, overlay, mirror } = this.#settings;
    if (inset.value) drawOverlay(this.inset.canvas, this.#drawing, overlay.value, mirror.value, this.#mesh);
  }

  /** Fetches the mesh when it is shown for the first time, and after a failure when it is chosen again. */
  async #fetchMesh(): Promise<void> {
    if (this.#mesh || this.#fetching || !showsMesh(this.#settings)) return;
    this.#fetching = true;
    this.#notices.clear("mesh");
    try {
      this.#mesh = await fetchFaceMesh();
      this.#redraw();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#notices.show("mesh", {
        title: "The face mesh cannot be drawn",
        detail: `${why} Points are drawn in its place. Press O until the mesh is chosen to try again.`,
      });
    } finally {
      this.#fetching = false;
    }
  }
}
