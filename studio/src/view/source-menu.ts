/** Chooses what is looked at. */

import { CAMERA_LINES, listCameras } from "../sources/camera.ts";
import type { Source } from "../sources/source.ts";
import { choiceRow } from "./bar.ts";
import { element } from "./element.ts";
import { type IconName, icon } from "./icons.ts";
import { menu } from "./menu.ts";

export interface SourceMenuEvents {
  /** device: a camera's deviceId; empty: the browser's choice. */
  camera(device: string): void;
  cameraLines(lines: number): void;
  film(): void;
  file(): void;
}

const ICONS: Readonly<Record<Source["kind"], IconName>> = {
  camera: "camera",
  film: "film",
  video: "file",
  picture: "picture",
};

export class SourceMenu {
  readonly button = element("button", { type: "button", class: "source-button" });
  readonly #events: SourceMenuEvents;
  #source: Source | undefined;
  #device = "";
  #lines = 480;
  readonly #panel: HTMLElement;

  constructor(events: SourceMenuEvents) {
    this.#events = events;
    this.#panel = menu(this.button, "Source", () => this.#content());
    this.show(undefined, "", 480);
  }

  /** device: of the camera that is chosen. lines: of its picture. */
  show(source: Source | undefined, device: string, lines: number): void {
    this.#source = source;
    this.#device = device;
    this.#lines = lines;
    const title = source?.title ?? "Source";
    this.button.replaceChildren(
      icon(ICONS[source?.kind ?? "camera"]),
      element("span", { class: "source-title" }, title),
      icon("chevron"),
    );
    this.button.setAttribute("aria-label", `Source: ${title}`);
  }

  #content(): Node[] {
    const cameras = element(
      "div",
      {},
      this.#row("camera", "Camera", this.#source?.kind === "camera", () => this.#events.camera("")),
    );
    void this.#listCameras(cameras);
    const lines = choiceRow(
      "Resolution",
      CAMERA_LINES.map((value) => [value, `${value} lines`] as const),
      this.#lines,
      (value) => this.#events.cameraLines(value),
    );
    return [
      element("h2", {}, "Source"),
      cameras,
      lines,
      element("hr", {}),
      this.#row("film", "Film that comes with the page", this.#source?.kind === "film", () => this.#events.film()),
      this.#row("file", "Video or picture…", false, () => this.#events.file()),
    ];
  }

  async #listCameras(target: HTMLElement): Promise<void> {
    const named = (await listCameras()).filter(({ label }) => label);
    if (!named.length) return;
    target.replaceChildren(
      ...named.map(({ deviceId, label }) =>
        this.#row("camera", label, this.#source?.kind === "camera" && deviceId === this.#device, () =>
          this.#events.camera(deviceId),
        ),
      ),
    );
  }

  #row(name: IconName, title: string, chosen: boolean, run: () => void): HTMLButtonElement {
    const row = element(
      "button",
      { type: "button", class: "row-button", "aria-current": chosen ? "true" : undefined },
      icon(name),
      element("span", { class: "row-title" }, title),
    );
    row.onclick = () => {
      this.#panel.hidePopover();
      run();
    };
    return row;
  }
}
