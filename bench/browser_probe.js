// Notes what the camera shows and what the characters do, for bench/browser.py. It runs before the page's own scripts.
(() => {
  const frames = []; // callbacks that wait while the page is hidden
  let hidden = false;
  // Chromium without a window shows all tabs at once. So a tab is hidden as its page sees it: by the property, the
  // event, and that no display frame comes.
  for (const [type, name] of [
    [window, "requestAnimationFrame"],
    [HTMLVideoElement.prototype, "requestVideoFrameCallback"],
  ]) {
    const request = type[name];
    type[name] = function (callback) {
      return request.call(this, (...given) => (hidden ? frames.push(() => (this ?? window)[name](callback)) : callback(...given)));
    };
  }
  Object.defineProperty(document, "hidden", { get: () => hidden });
  Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });

  const BITS = 9; // see studio/film/camera.py
  const BLOCKS = 12;
  const STRIP = 16;
  const CHECK_OFFSET = 5;
  const NAMES = ["jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight"];
  const seen = []; // [milliseconds, the film's frame]
  const moved = []; // [person, milliseconds of the capture, of the drawing, yaw, the weights of NAMES]
  const answers = []; // [milliseconds, characters] of the texts that came over WebSockets
  const told = []; // what the page has sent over WebSockets but pictures: its options, and calibrations
  const tracks = [];
  const canvas = new OffscreenCanvas(BLOCKS, 1).getContext("2d", { willReadFrequently: true });

  function numberOf(video) {
    canvas.drawImage(video, 0, video.videoHeight - STRIP, video.videoWidth, STRIP, 0, 0, BLOCKS, 1);
    const { data } = canvas.getImageData(0, 0, BLOCKS, 1);
    const bits = Array.from({ length: BLOCKS }, (_, i) => (data[4 * i] > 127 ? 1 : 0));
    const number = Number.parseInt(bits.slice(0, BITS).join(""), 2);
    const check = Number.parseInt(bits.slice(BITS).join(""), 2);
    const ones = bits.slice(0, BITS).reduce((sum, bit) => sum + bit, 0);
    return (ones + CHECK_OFFSET) % 2 ** (BLOCKS - BITS) === check ? number : undefined;
  }

  function watch(stream) {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = new MediaStream(stream.getVideoTracks());
    const look = (now, frame) => {
      const number = numberOf(video);
      if (number !== undefined) seen.push([frame.captureTime ?? now, number]);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.play();
  }

  const devices = navigator.mediaDevices;
  if (devices) {
    const getUserMedia = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints);
      tracks.push(...stream.getVideoTracks());
      watch(stream);
      return stream;
    };
  }

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => answers.push([performance.now(), data.length]));
    }

    send(data) {
      if (typeof data === "string") told.push(JSON.parse(data));
      super.send(data);
    }
  };

  const drawn = new Map();
  function note() {
    for (const state of window.mfnStudio?.states ?? []) {
      if (drawn.get(state.person) === state.drawnAt) continue;
      drawn.set(state.person, state.drawnAt);
      moved.push([state.person, state.capturedAt, state.drawnAt, state.yaw, ...NAMES.map((n) => state.weights[n] ?? 0)]);
    }
    requestAnimationFrame(note);
  }
  requestAnimationFrame(note);

  window.probe = {
    seen,
    moved,
    answers,
    told,
    names: NAMES,
    /** Forgets what has been noted. */
    clear() {
      seen.length = moved.length = answers.length = 0;
    },
    /** Hides the page as another tab does, or shows it again. */
    hide(hide) {
      hidden = hide;
      document.dispatchEvent(new Event("visibilitychange"));
      if (!hide) for (const request of frames.splice(0)) request();
    },
    /** What happens to the page's camera when it is pulled out. */
    unplug() {
      for (const track of tracks.splice(0)) {
        track.stop();
        track.dispatchEvent(new Event("ended"));
      }
    },
  };
})();
