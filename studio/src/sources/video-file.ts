/** Videos from files: those of the user, and the film that comes with the page. */

import { SourceError, type SourceKind } from "./source.ts";
import { play, quietVideo, VideoSource } from "./video-source.ts";

/** The film that comes with the page, relative to it. */
export const FILM_URL = "film/faces.webm";

/** Milliseconds in which nothing of a video comes, after which it is given up. */
const SILENCE_MS = 10_000;

/** Opens a film by its address. Rejects with SourceError. */
export function openFilm(url: string): Promise<VideoSource> {
  return open("film", "Film", url, () => undefined);
}

/** Opens a video file of the user's. Rejects with SourceError. */
export function openVideoFile(file: File): Promise<VideoSource> {
  const url = URL.createObjectURL(file);
  return open("video", file.name, url, () => URL.revokeObjectURL(url));
}

async function open(kind: SourceKind, title: string, url: string, release: () => void): Promise<VideoSource> {
  const video = quietVideo();
  video.loop = true;
  video.preload = "auto";
  video.src = url;
  play(video); // at once: phones load a video only when it is to be played, which a press allows
  const close = () => {
    video.removeAttribute("src");
    video.load();
    release();
  };
  try {
    await firstPicture(video, title);
    if (!video.videoWidth)
      throw new SourceError("No pictures in this file", `${title} has sound only. Choose a video.`);
  } catch (error) {
    close();
    throw error;
  }
  const source = new VideoSource(kind, title, video, close);
  video.onerror = () => {
    source.lost.value = unreadable(title, video.error);
  };
  return source;
}

/** Waits for the first picture. Rejects with SourceError where the file cannot be read, or nothing of it comes. */
function firstPicture(video: HTMLVideoElement, title: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<void>((resolve, reject) => {
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(silent(title)), SILENCE_MS);
    };
    video.onprogress = wait;
    video.onloadeddata = () => resolve();
    video.onerror = () => reject(unreadable(title, video.error));
    wait();
  }).finally(() => {
    clearTimeout(timer);
    video.onprogress = null;
  });
}

function silent(title: string): SourceError {
  return new SourceError(
    "The video does not begin",
    `Nothing of ${title} has come for ${SILENCE_MS / 1000} s. Check the connection. A phone that saves power may not begin ` +
      "a video: switch that off, and choose the video again.",
  );
}

function unreadable(title: string, error: MediaError | null): SourceError {
  if (error?.code === MediaError.MEDIA_ERR_NETWORK)
    return new SourceError(
      "The video did not arrive",
      `${title} could not be fetched. Check the connection, and try again.`,
    );
  return new SourceError(
    "This browser cannot play the video",
    `${title} is no video, or in a codec that this browser does not have. Convert it to H.264 in MP4 or VP9 in WebM, or ` +
      "try another browser.",
  );
}
