/** How the reader chooses what is looked at: the menu, the button before a camera is allowed, and files. */

import { CameraSource } from "../sources/camera.ts";
import type { SourceError } from "../sources/source.ts";
import { Sources } from "../sources/sources.ts";
import type { Notices } from "../view/notices.ts";
import { SourceMenu } from "../view/source-menu.ts";
import { Welcome } from "../view/welcome.ts";
import { chooseFile } from "./drops.ts";
import type { Parameters } from "./parameters.ts";
import type { Settings } from "./settings.ts";

const FILES = "video/*,image/*";

export class SourceControls {
  readonly sources: Sources;
  readonly menu: SourceMenu;
  readonly welcome: Welcome;
  readonly #settings: Settings;
  readonly #notices: Notices;
  readonly #obs: boolean;
  /** A part of the camera's name, as long as none is chosen by hand. */
  #cameraName: string;

  /** camera: a part of the name of the camera to take; empty: any. obs: whether the page is in OBS. where: a sentence
   * on where pictures go. take: what becomes of a file. */
  constructor(
    settings: Settings,
    notices: Notices,
    { camera, obs }: Pick<Parameters, "camera" | "obs">,
    where: string,
    take: (file: File) => void,
  ) {
    this.#settings = settings;
    this.#notices = notices;
    this.#cameraName = camera;
    this.#obs = obs;
    this.sources = new Sources({ problem: (error) => this.#tell(error) });
    const { current, opening } = this.sources;
    this.menu = new SourceMenu({
      camera: (device) => {
        this.#cameraName = "";
        settings.camera.value = device;
        void this.openCamera();
      },
      cameraLines: (lines) => {
        settings.cameraLines.value = lines;
        if (current.value?.kind === "camera") void this.openCamera();
      },
      film: () => void this.openFilm(),
      file: () => chooseFile(FILES, take),
    });
    this.welcome = new Welcome(where, () => void this.openCamera());
    opening.follow((busy) => {
      this.welcome.busy = busy && current.value !== undefined;
    });
    current.follow((source) => {
      this.welcome.root.hidden = source !== undefined && source.kind !== "film";
      const device = source instanceof CameraSource ? source.device : settings.camera.value;
      this.menu.show(source, device, settings.cameraLines.value);
    });
  }

  async openCamera(): Promise<void> {
    this.#notices.clear("source"); // what is wrong is told again
    const { camera, cameraLines, cameraUsed } = this.#settings;
    const choice = { device: camera.value, name: this.#cameraName, lines: cameraLines.value, obs: this.#obs };
    if (await this.sources.camera(choice)) cameraUsed.value = true;
  }

  /** Where the film cannot be opened, the page waits for a source. */
  async openFilm(): Promise<void> {
    this.#notices.clear("source");
    await this.sources.film();
  }

  #tell(error: SourceError | undefined): void {
    if (error) this.#notices.show("source", { title: error.title, detail: error.message });
    else this.#notices.clear("source");
  }
}
