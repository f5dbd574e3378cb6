/** When a video shows a new picture, and when that was captured. */

/** Milliseconds; a camera that says that its picture is older has another clock. */
const OLDEST_MS = 1000;

/** The time of a picture's capture: the camera's own, where it tells one that can be true, else now. */
export function captureTime(told: number | undefined, now: number): number {
  return told !== undefined && told <= now && told > now - OLDEST_MS ? told : now;
}

/** Calls back for each new picture of a video until it is told to stop. Returns what stops it. */
export function followFrames(video: HTMLVideoElement, onframe: (capturedAt: number) => void): () => void {
  let running = true;
  let handle = 0;
  if (typeof video.requestVideoFrameCallback === "function") {
    const next = (now: number, metadata: VideoFrameCallbackMetadata) => {
      if (!running) return;
      handle = video.requestVideoFrameCallback(next);
      onframe(captureTime(metadata.captureTime, now));
    };
    handle = video.requestVideoFrameCallback(next);
    return () => {
      running = false;
      video.cancelVideoFrameCallback(handle);
    };
  }
  let shown = -1;
  const look = (now: number) => {
    if (!running) return;
    handle = requestAnimationFrame(look);
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.currentTime === shown) return;
    shown = video.currentTime;
    onframe(now);
  };
  handle = requestAnimationFrame(look);
  return () => {
    running = false;
    cancelAnimationFrame(handle);
  };
}
