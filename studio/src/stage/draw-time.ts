/** How long drawing takes where the processor draws. */

const LOOK_MS = 3; // between looks at whether it is done

/** Measures from the end of the drawing commands until they are carried out. */
export class DrawTime {
  private readonly gl: WebGL2RenderingContext;
  private sync: WebGLSync | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private begun = 0;
  private time: number | undefined;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
  }

  /** Begins, after a frame's commands; one that is not done yet goes on in its place. */
  begin(): void {
    if (this.sync) return;
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

  dispose(): void {
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
  };
}
