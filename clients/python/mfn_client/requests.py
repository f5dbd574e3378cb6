"""Requests: options, frames and calibrations, and their messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from mfn.v1 import retarget_pb2 as pb

from mfn_client.images import Image, image_message


class DropPolicy(Enum):
    """What happens to frames that come faster than the server processes them.

    LATEST: a new frame replaces the waiting one; use it for a camera. NONE: every frame is answered, and the sender is
    slowed down; use it for a recording.
    """

    LATEST = pb.DROP_POLICY_LATEST
    NONE = pb.DROP_POLICY_NONE


class Calibration(Enum):
    """A calibration that you send among the frames of a stream.

    TAKE_NEUTRAL: each person's mean expression in the next second is their neutral face, which is subtracted from then
    on. RESET: forgets all neutral faces.
    """

    TAKE_NEUTRAL = pb.CALIBRATION_TAKE_NEUTRAL
    RESET = pb.CALIBRATION_RESET


TAKE_NEUTRAL = Calibration.TAKE_NEUTRAL
RESET = Calibration.RESET


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a request. None stands for the server's default.

    min_score: lowest score of a face, 0.01 to 1. max_faces: number of faces at most, the best ones, 1 to 100. refine:
    whether a second network refines each face, which is more accurate and slower. landmarks, blendshapes, identity:
    whether faces have them. tiles: number of tiles along the picture's longer side, 1 to 4, for smaller faces; not for
    streams. input_size: side in pixels of the detecting network's input, one that the server offers, such as 288, 416
    or 576; a larger one finds smaller faces and takes longer.
    """

    min_score: float | None = None
    max_faces: int | None = None
    refine: bool = False
    landmarks: bool = False
    blendshapes: bool = False
    identity: bool = True
    tiles: int = 1
    input_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """Parameters of the One-Euro filter. None stands for the server's default.

    min_cutoff: cutoff in Hz for a still face; lower is steadier but has more lag. beta: how much speed raises the
    cutoff; higher has less lag.
    """

    min_cutoff: float | None = None
    beta: float | None = None


@dataclass(frozen=True, kw_only=True)
class StreamConfig(Options):
    """Options of a stream, for each of its frames and for the stream as a whole.

    drop_policy: see DropPolicy. smoothing: None for none. follow: whether faces are detected only every detect_every
    frames (1 to 300; None for the server's default) and followed in between, which is faster. neutral: everybody's
    neutral face until a calibration: a weight for each of Model.expression_names, as in a file of `mfn capture`; None
    for none.
    """

    drop_policy: DropPolicy = DropPolicy.LATEST
    smoothing: Smoothing | None = None
    follow: bool = False
    detect_every: int | None = None
    neutral: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Frame:
    """A frame of a stream.

    timestamp_us: when it was taken, microseconds of any clock, strictly increasing. sequence: a number that its answer
    carries; by default the frame's number in the stream, from 1. rotation: degrees by which the picture has to be
    turned clockwise to be upright: 0, 90, 180 or 270.
    """

    image: Image
    timestamp_us: int
    sequence: int | None = None
    rotation: int = 0


Sendable = Frame | tuple[Image, float] | Calibration  # the float: when the picture was taken, seconds


def options_message(options: Options) -> pb.Options:
    """Converts options to their message."""
    return pb.Options(
        min_score=options.min_score,
        max_faces=options.max_faces,
        refine=options.refine,
        include_landmarks=options.landmarks,
        include_blendshapes=options.blendshapes,
        exclude_identity=not options.identity,
        tiles=options.tiles,
        input_size=options.input_size,
    )


def retarget_message(image: Image, options: Options, rotation: int) -> pb.RetargetRequest:
    """The message of a picture and options. rotation: as of Frame.

    Raises TypeError or ValueError where `image` is not a picture.
    """
    return pb.RetargetRequest(image=image_message(image, rotation), options=options_message(options))


def config_message(config: StreamConfig) -> pb.RetargetStreamRequest:
    """Converts a stream's options to its first message."""
    smoothing = config.smoothing
    message = pb.StreamConfig(
        options=options_message(config),
        drop_policy=config.drop_policy.value,
        smoothing=None if smoothing is None else _smoothing_message(smoothing),
        follow=config.follow,
        detect_every=config.detect_every,
        neutral=config.neutral,
    )
    return pb.RetargetStreamRequest(config=message)


def _smoothing_message(smoothing: Smoothing) -> pb.Smoothing:
    return pb.Smoothing(min_cutoff=smoothing.min_cutoff, beta=smoothing.beta)


def stream_message(item: Sendable, number: int) -> pb.RetargetStreamRequest:
    """Converts a frame or a calibration to its message.

    number: the sequence of a frame that has none. Raises TypeError or ValueError for what cannot be sent.
    """
    if isinstance(item, Calibration):
        return pb.RetargetStreamRequest(calibration=item.value)
    if isinstance(item, tuple):
        image, seconds = item
        item = Frame(image, round(seconds * 1e6))
    if not isinstance(item, Frame):
        raise TypeError(f"a stream takes Frame, (image, seconds) and Calibration, not {type(item).__name__}")
    frame = pb.Frame(
        sequence=number if item.sequence is None else item.sequence,
        timestamp_us=item.timestamp_us,
        image=image_message(item.image, item.rotation),
    )
    return pb.RetargetStreamRequest(frame=frame)
