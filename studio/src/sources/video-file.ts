/** Videos from files: those of the user, and the film that comes with the page. */

import { SourceError, type SourceKind } from "./source.ts";
import { quietVideo, VideoSource } from "./video-source.ts";

/** The film that comes with the page, relative to it. */
export const FILM_URL = "film/faces.webm";

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
  video.src = url;
  const close = () => {
    video.removeAttribute("src");
    video.load();
    release();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      video.onloadeddata = () => resolve();
      video.onerror = () => reject(unreadable(title, video.error));
    });
    if (!video.videoWidth)
      throw new SourceError("No pictures in this file", `${title} has sound only. Choose a video.`);
    await video.play().catch(() => undefined); // a browser that saves power waits for a press of a button
  } catch (error) {
    close();
    throw error;
  }
  const source = new VideoSource(kind, title, video, close);
  video.onerror = () => source.onlost?.(unreadable(title, video.error));
  return source;
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
