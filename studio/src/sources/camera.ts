/** Cameras: which there are, opening one, and what may be wrong with it. */

import { SourceError } from "./source.ts";
import { quietVideo, VideoSource } from "./video-source.ts";

export interface CameraChoice {
  /** The camera's deviceId; empty: the browser's choice. */
  device: string;
  /** A part of the camera's name, looked for once names are told; empty: any. */
  name: string;
  /** Height of the picture in lines; the nearest that the camera has is taken. */
  lines: number;
  /** Whether the page is in OBS, where nobody can be asked. */
  obs: boolean;
}

/** Heights that the page offers, lines. */
export const CAMERA_LINES = [240, 480, 720, 1080] as const;

/** The cameras that the browser tells of. Names are empty before a camera was allowed. */
export async function listCameras(): Promise<MediaDeviceInfo[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return devices.filter(({ kind }) => kind === "videoinput");
}

/** Whether a camera was allowed on an earlier visit, so that the browser will not ask. */
export async function cameraAllowed(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: "camera" as PermissionName })).state === "granted";
  } catch {
    return false; // this browser does not tell
  }
}

/** A camera, and which it is. */
export class CameraSource extends VideoSource {
  readonly device: string;

  constructor(stream: MediaStream, track: MediaStreamTrack, video: HTMLVideoElement) {
    super("camera", track.label || "Camera", video, () => {
      track.onended = track.onmute = track.onunmute = null;
      for (const each of stream.getTracks()) each.stop();
      video.srcObject = null;
    });
    this.device = track.getSettings().deviceId ?? "";
    const look = () => {
      this.lost.value = track.readyState === "ended" ? gone() : undefined;
      this.interrupted.value = track.muted ? heldBack() : undefined;
    };
    track.onended = track.onmute = track.onunmute = look;
    look();
  }
}

/** Asks for a camera and opens it. Rejects with SourceError. */
export async function openCamera(choice: CameraChoice): Promise<CameraSource> {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia)
    throw new SourceError(
      "The browser keeps the camera from this page",
      "Browsers give pages a camera over HTTPS and on localhost only. Open this page at an address that begins with " +
        "https:// or http://localhost, or drag in a video or a picture.",
    );
  const named = choice.name ? await deviceNamed(choice.name) : "";
  let stream = await request(choice, named || choice.device);
  if (choice.name && !named) {
    // names are told only after a camera was allowed
    const device = await deviceNamed(choice.name);
    if (device && device !== stream.getVideoTracks()[0]?.getSettings().deviceId) {
      for (const track of stream.getTracks()) track.stop();
      stream = await request(choice, device);
    }
  }
  const track = stream.getVideoTracks()[0];
  if (!track) throw noCamera();
  const video = quietVideo();
  video.srcObject = stream;
  try {
    await video.play();
  } catch {
    for (const each of stream.getTracks()) each.stop();
    throw new SourceError(
      "The camera gives no pictures",
      "Unplug it and plug it in again, or choose another.",
      "plugged",
    );
  }
  return new CameraSource(stream, track, video);
}

async function request(choice: CameraChoice, device: string): Promise<MediaStream> {
  const { lines, obs } = choice;
  const size = { width: { ideal: Math.round((lines * 4) / 3) }, height: { ideal: lines }, frameRate: { ideal: 30 } };
  try {
    const which = device ? { deviceId: { exact: device } } : { facingMode: "user" };
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...which, ...size } });
  } catch (error) {
    const name = error instanceof Error ? error.name : ""; // OverconstrainedError is no DOMException everywhere
    if (device && (name === "OverconstrainedError" || name === "NotFoundError")) return request(choice, "");
    throw cameraProblem(name, obs);
  }
}

async function deviceNamed(name: string): Promise<string> {
  const wanted = name.toLowerCase();
  return (await listCameras()).find(({ label }) => label.toLowerCase().includes(wanted))?.deviceId ?? "";
}

/** What to tell where a camera could not be opened. name: of the browser's exception. obs: whether the page is in OBS. */
export function cameraProblem(name: string, obs = false): SourceError {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return new SourceError(
        "The camera is not allowed",
        obs
          ? "Close OBS and start it with --enable-media-stream, which lets browser sources use cameras."
          : "Allow it for this page: press the symbol beside the address, and look whether the system's settings let " +
              "this browser use cameras. Then try again.",
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return noCamera();
    case "NotReadableError":
    case "AbortError":
      return new SourceError(
        "The camera is in use",
        "Another program has it, or the system holds it back. Close that program; the camera is then taken by itself.",
        "later",
      );
    default:
      return new SourceError(
        "The camera cannot be opened",
        "Unplug it and plug it in again, then try again.",
        "plugged",
      );
  }
}

function noCamera(): SourceError {
  return new SourceError(
    "There is no camera",
    "Plug one in: it is taken as soon as it is there. Or drag in a video or a picture.",
    "plugged",
  );
}

function gone(): SourceError {
  return new SourceError(
    "The camera is gone",
    "It was unplugged or switched off. Plug it in again, or choose another.",
    "plugged",
  );
}

function heldBack(): SourceError {
  return new SourceError(
    "The camera gives no pictures",
    "Another program may have taken it, its cover may be shut, or the system holds it back. It goes on by itself.",
  );
}
