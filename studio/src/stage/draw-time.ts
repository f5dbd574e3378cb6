/** How long drawing takes where the processor draws. */

const LOOK_MS = 3; // between looks at whether it is done

/** Measures from the end of the drawing commands until they are carried out. */
export class DrawTime {
  private readonly gl: WebGL2RenderingContext;
  private readonly ondone: () => void;
  private sync: WebGLSync | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private begun = 0;
  private time: number | undefined;

  /** ondone: called when a frame's commands are carried out. */
  constructor(gl: WebGL2RenderingContext, ondone: () => void) {
    this.gl = gl;
    this.ondone = ondone;
  }

  /** Whether the latest frame's commands are not carried out yet. */
  get busy(): boolean {
    return this.sync !== null;
  }

  /** Begins, after a frame's commands. */
  begin(): void {
    this.begun = performance.now();
    this.sync = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.gl.flush();
    if (this.sync) this.timer = setTimeout(this.look, LOOK_MS);
  }

  /** Milliseconds of the latest frame that is done; undefined where it was told before. */
  take(): number | undefined {
    const { time } = this;
    this.time = undefined;
    return time;
  }

  /** Forgets a frame that is not done yet: ondone is not called for it. */
  cancel(): void {
    clearTimeout(this.timer);
    this.gl.deleteSync(this.sync);
    this.sync = null;
  }

  private readonly look = (): void => {
    if (!this.sync) return;
    if (this.gl.getSyncParameter(this.sync, this.gl.SYNC_STATUS) === this.gl.UNSIGNALED) {
      this.timer = setTimeout(this.look, LOOK_MS);
      return;
    }
    this.time = performance.now() - this.begun;
    this.gl.deleteSync(this.sync);
    this.sync = null;
    this.ondone();
  };
}
