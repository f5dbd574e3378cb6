/** The stage, drawn by three.js: people come and go, and each display frame moves and draws their characters. */

import type { Face } from "mfn-client";
import { ARKIT_NAMES } from "mfn-client";
import { NeutralToneMapping, PerspectiveCamera, Scene, WebGLRenderer } from "three";
import { Actor, SLOT } from "./actor.ts";
import { WEIGHTS } from "./arkit.ts";
import type { Character } from "./character.ts";
import { DrawTime } from "./draw-time.ts";
import { Backdrop } from "./ground.ts";
import { arrange, Eased, giveWay, nearest, reorder } from "./layout.ts";
import { addLamps, softBoxes } from "./light.ts";
import { lightTable } from "./light-table.ts";
import { Models } from "./models.ts";
import { neutralPose } from "./motion.ts";
import { Readback } from "./readback.ts";
import { Resolution } from "./resolution.ts";
import {
  CharacterError,
  type CharacterSource,
  type CharacterState,
  type ColourScheme,
  type Stage,
  StageError,
  type StageOptions,
} from "./stage.ts";

const FIELD_OF_VIEW = 16; // degrees: a long lens, which keeps faces at the edge as they are
const ELEVATION = 0.03; // of the distance that the camera is raised by
const CAMERA_MS = 220;
const LONGEST_STEP = 100; // milliseconds, after the page was hidden

/** Makes the stage on a canvas, whose size on the page it follows. Throws StageError where WebGL 2 is not there. */
export function createStage(canvas: HTMLCanvasElement, options: StageOptions): Stage {
  return new ThreeStage(canvas, options);
}

class ThreeStage implements Stage {
  mirror = false;
  reducedMotion = false;
  covered: Stage["covered"] = { left: 0, top: 0, right: 0, bottom: 0 };
  onframe: ((now: number) => void) | undefined;
  onproblem: ((problem: StageError | undefined) => void) | undefined;
  onfailure: ((error: CharacterError) => void) | undefined;

  private readonly canvas: HTMLCanvasElement;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 1, 200);
  private readonly distance = new Eased(10, CAMERA_MS);
  private readonly left = new Eased(0, CAMERA_MS);
  private readonly top = new Eased(0, CAMERA_MS);
  private readonly right = new Eased(0, CAMERA_MS);
  private readonly bottom = new Eased(0, CAMERA_MS);
  private readonly backdrop: Backdrop | undefined;
  private readonly models: Models;
  private readonly actors = new Map<number, Actor>();
  private readonly order: number[] = [];
  private readonly acrossPicture = new Map<number, number>();
  private readonly frames: number[] = []; // times of the last second's
  private readonly resolution: Resolution;
  private readonly drawTime: DrawTime | undefined;
  private readonly readback: Readback | undefined;
  private readonly pose = neutralPose();
  private scheme: ColourScheme = "light";
  private before: number | undefined;
  private captured: MediaStream | undefined; // that is recorded, as far as it is known
  private size = { width: 0, height: 0 }; // of what is drawn, CSS pixels
  private empty = true;

  constructor(canvas: HTMLCanvasElement, options: StageOptions) {
    this.canvas = canvas;
    const software = drawnBySoftware();
    // What shines through has other pixels than WebGL reads: their colours are multiplied by alpha.
    const shown = software && !options.transparent ? canvas.getContext("2d", { alpha: false }) : null;
    const drawn = shown ? document.createElement("canvas") : canvas;
    const context = drawn.getContext("webgl2", {
      alpha: options.transparent,
      antialias: !software,
      preserveDrawingBuffer: shown !== null,
      powerPreference: "high-performance",
      stencil: false,
    });
    if (!context) {
      throw new StageError(
        "This browser draws no 3D (WebGL 2), so there are no characters. Turn on hardware acceleration, or use a newer one.",
      );
    }
    this.renderer = new WebGLRenderer({ canvas: drawn, context, antialias: !software, alpha: options.transparent });
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.localClippingEnabled = true;
    this.renderer.setClearColor(0x000000, 0);
    this.models = new Models(software ? lightTable(this.camera.position) : undefined);
    this.resolution = new Resolution(window.devicePixelRatio, software);
    this.readback = shown ? new Readback(context, shown) : undefined;
    this.drawTime = software ? new DrawTime(context, () => this.readback?.show()) : undefined;
    addLamps(this.scene, software);
    if (!software) this.scene.environment = softBoxes(this.renderer);
    if (!options.transparent) {
      this.backdrop = new Backdrop(software);
      this.scene.add(this.backdrop.mesh);
    }
    this.colourScheme = "light";
    new ResizeObserver(() => this.resize()).observe(canvas);
    drawn.addEventListener("webglcontextlost", this.lost);
    drawn.addEventListener("webglcontextrestored", this.restored);
    this.resize();
    requestAnimationFrame(this.frame);
  }

  get colourScheme(): ColourScheme {
    return this.scheme;
  }

  set colourScheme(scheme: ColourScheme) {
    this.scheme = scheme;
    if (this.backdrop) this.backdrop.colourScheme = scheme;
  }

  get states(): readonly CharacterState[] {
    return this.order.flatMap((person) => this.actors.get(person)?.state ?? []);
  }

  get frameRate(): number {
    return this.frames.length;
  }

  personAt(x: number, y: number): number | undefined {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const places = this.order.flatMap((person) => {
      const at = this.actors.get(person)?.group.position.clone().project(this.camera);
      return at ? [{ person, x: ((1 + at.x) * width) / 2, y: ((1 - at.y) * height) / 2 }] : [];
    });
    return nearest(places, x, y)?.person;
  }

  prepare(name: string): void {
    this.models.prepare(name);
  }

  async enter(person: number, source: CharacterSource, colour: string): Promise<void> {
    const known = this.actors.get(person);
    const actor = known && !known.leaving ? known : this.newActor(person, colour);
    actor.footing.colour = colour;
    const wish = ++actor.wishes;
    const wished = () => this.actors.get(person) === actor && !actor.leaving && actor.wishes === wish;
    let character: Character | undefined;
    try {
      character = await this.models.wear(source);
      if (wished()) await this.renderer.compileAsync(character.scene, this.camera, this.scene);
      if (!wished()) {
        character.dispose(); // the person left, or chose another, meanwhile
        return;
      }
      actor.wear(character);
      if (!this.order.includes(person)) this.order.push(person);
    } catch (error) {
      character?.dispose();
      if (!wished()) return;
      if (!actor.worn) this.leave(person);
      if (error instanceof CharacterError) throw error;
      throw new CharacterError("The character cannot be shown: its file is damaged. Export it again.");
    }
  }

  leave(person: number): void {
    const actor = this.actors.get(person);
    if (!actor) return;
    actor.leaving = true;
    const place = this.order.indexOf(person);
    if (place >= 0) this.order.splice(place, 1);
    this.acrossPicture.delete(person);
  }

  drive(person: number, face: Face, x: number, capturedAt: number, answeredAt: number): void {
    const actor = this.actors.get(person);
    if (!actor) return;
    const { pose } = this;
    ARKIT_NAMES.forEach((name, i) => {
      pose[i] = Math.min(Math.max(face.blendshapes?.[name] ?? 0, 0), 1);
    });
    pose.set(face.pose.quaternion, WEIGHTS);
    actor.gazeKnown = face.gaze !== undefined;
    actor.motion.take(pose, capturedAt, answeredAt);
    this.acrossPicture.set(person, x);
  }

  rest(person: number): void {
    this.actors.get(person)?.motion.rest(performance.now());
  }

  capture(framesPerSecond: number): MediaStream {
    this.captured = this.canvas.captureStream(framesPerSecond);
    return this.captured;
  }

  private newActor(person: number, colour: string): Actor {
    this.actors.get(person)?.dispose(); // one that was leaving
    const actor = new Actor(person, colour);
    this.actors.set(person, actor);
    this.scene.add(actor.group);
    return actor;
  }

  private readonly frame = (): void => {
    requestAnimationFrame(this.frame);
    const now = performance.now();
    if (!this.resolution.due(now) || this.drawTime?.busy) return;
    const elapsed = Math.min(now - (this.before ?? now), LONGEST_STEP);
    this.before = now;
    this.frames.push(now);
    while (now - (this.frames[0] ?? now) >= 1000) this.frames.shift();
    if (this.resolution.drawn(now, this.drawTime?.take()) || (this.captured && !this.captured.active)) this.resize();
    this.place(elapsed);
    for (const actor of this.actors.values()) {
      try {
        actor.update(now, elapsed, this.mirror, this.reducedMotion);
      } catch (error) {
        if (!(error instanceof CharacterError)) throw error;
        this.onfailure?.(error); // the others go on
      }
    }
    this.renderer.render(this.scene, this.camera);
    this.drawTime?.begin();
    this.onframe?.(now);
  };

  /** Moves the characters to their places, and the camera to where it sees them all. */
  private place(elapsed: number): void {
    const { order, camera, reducedMotion } = this;
    this.frameUncovered(elapsed);
    reorder(order, this.acrossPicture);
    const slotAspect = SLOT.width / SLOT.height;
    const { places, width, height } = arrange(order.length, camera.aspect, slotAspect);
    order.forEach((person, i) => {
      const actor = this.actors.get(person);
      const place = places[this.mirror ? order.length - 1 - i : i];
      if (!actor || !place) return;
      const atOnce = reducedMotion || actor.size.value === 0;
      actor.x.toward(place.x * SLOT.width, elapsed, atOnce);
      actor.y.toward(place.y * SLOT.height, elapsed, atOnce);
      actor.size.toward(1, elapsed, reducedMotion);
    });
    for (const [person, actor] of this.actors) {
      if (!actor.leaving) continue;
      if (actor.size.toward(0, elapsed, reducedMotion) > 0.01) continue;
      actor.dispose();
      this.actors.delete(person);
    }
    const tangent = Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
    const goal = Math.max(height * SLOT.height, (width * SLOT.width) / camera.aspect) / 2 / tangent;
    const atOnce = reducedMotion || this.empty;
    this.empty = order.length === 0;
    const distance = this.distance.toward(goal, elapsed, atOnce);
    camera.position.set(0, ELEVATION * distance, distance);
    camera.lookAt(0, 0, 0);
    for (const actor of this.actors.values()) actor.face(distance);
  }

  private resize(): void {
    if (this.captured?.active) return; // a video's pictures have one size
    this.captured = undefined;
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.drawTime?.cancel(); // another size clears what is drawn
    this.size = { width: clientWidth, height: clientHeight };
    this.renderer.setPixelRatio(this.resolution.ratio);
    this.renderer.setSize(clientWidth, clientHeight, false);
  }

  /** Has the camera frame the part of the canvas that nothing lies over, and draw the rest, too. */
  private frameUncovered(elapsed: number): void {
    const { camera, covered } = this;
    const { width, height } = this.size;
    if (width === 0 || height === 0) return;
    const atOnce = this.reducedMotion || this.empty;
    const free = {
      width: Math.max(1, width - this.right.toward(Math.min(covered.right, width / 2), elapsed, atOnce)),
      height: Math.max(1, height - this.bottom.toward(Math.min(covered.bottom, height / 2), elapsed, atOnce)),
    };
    const way = giveWay(this.order.length, free, SLOT.width / SLOT.height, {
      left: Math.min(covered.left, free.width / 2),
      top: Math.min(covered.top, free.height / 2),
    });
    const left = this.left.toward(way.left, elapsed, atOnce);
    const top = this.top.toward(way.top, elapsed, atOnce);
    free.width -= left;
    free.height -= top;
    camera.aspect = free.width / free.height;
    camera.setViewOffset(free.width, free.height, -left, -top, width, height);
  }

  private readonly lost = (event: Event): void => {
    event.preventDefault(); // asks for it to be restored
    this.onproblem?.(
      new StageError("The graphics card has stopped drawing. The characters come back when it draws again."),
    );
  };

  private readonly restored = (): void => {
    if (this.scene.environment) {
      this.scene.environment.dispose();
      this.scene.environment = softBoxes(this.renderer);
    }
    this.onproblem?.(undefined);
  };
}

/** Whether the processor does the graphics card's work. */
function drawnBySoftware(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const renderer = context && names ? String(context.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(renderer);
}
