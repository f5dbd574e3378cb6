"""Streams a video file or a camera to an MFN server and prints a line a frame. Needs OpenCV: pip install opencv-python.

python stream_video.py clip.mp4
python stream_video.py 0 --address mfn.example:50051 --tls --key "$MFN_KEY"
"""

import argparse
import sys
import time
from collections.abc import Iterator

import cv2
from mfn_client import Client, DropPolicy, Face, MfnError, Model, Smoothing, StreamConfig

JPEG_QUALITY = 85


def frames(capture: cv2.VideoCapture, camera: bool) -> Iterator[tuple[bytes, float]]:
    """JPEG files and seconds: of this machine's clock for a camera, or of the video's own."""
    while True:
        seen, pixels = capture.read()
        if not seen:
            return
        seconds = time.monotonic() if camera else capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        yield encoded.tobytes(), seconds


def line(face: Face, model: Model) -> str:
    """One face for a terminal: its track, two angles and its strongest coefficient."""
    weights = model.expression_of(face)
    strongest = max(weights, key=weights.__getitem__)
    return f"#{face.track_id} yaw {round(face.yaw)} pitch {round(face.pitch)} {strongest} {weights[strongest]:.2f}"


def main() -> int:
    """Streams the frames that the command line names, and prints what is found; returns the exit code."""
    parser = argparse.ArgumentParser(description="Streams a video or a camera and prints a line a frame.")
    parser.add_argument("source", metavar="VIDEO|CAMERA", help="a video file, or the number of a camera, from 0")
    parser.add_argument("--address", default="localhost:50051", help="host:port of the server")
    parser.add_argument("--key", help="API key")
    parser.add_argument("--tls", nargs="?", const=True, metavar="ROOTS", help="use TLS; trust the PEM file ROOTS")
    chosen = parser.parse_args()
    camera = chosen.source.isdecimal()
    capture = cv2.VideoCapture(int(chosen.source) if camera else chosen.source)
    if not capture.isOpened():
        print(f"{chosen.source} cannot be opened; expected a video file or the number of a camera", file=sys.stderr)
        return 1
    # of a camera, the latest frame matters; of a recording, every one
    policy = DropPolicy.LATEST if camera else DropPolicy.NONE
    config = StreamConfig(drop_policy=policy, smoothing=Smoothing(), identity=False)
    try:
        with (
            Client(chosen.address, chosen.key, chosen.tls) as client,
            client.stream(frames(capture, camera), config) as answers,
        ):
            for answer in answers:
                faces = ", ".join(line(face, answers.model) for face in answer.faces)
                print(f"{answer.sequence} {answer.timestamp:.3f} s: {faces or answer.problem or 'no face'}")
    except MfnError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
