"""What is asked of the server, to the contract's messages."""

from dataclasses import dataclass
from enum import Enum

from mfn.v1 import retarget_pb2 as pb

from mfn_client.images import Image, image_message


class DropPolicy(Enum):
    """What becomes of frames that come faster than they can be looked at. LATEST: a new one replaces the one that
    waits, as suits a camera. NONE: every frame is answered and the sender slowed down, as suits a recording."""

    LATEST = pb.DROP_POLICY_LATEST
    NONE = pb.DROP_POLICY_NONE


class Calibration(Enum):
    """Goes among the frames of a stream. TAKE_NEUTRAL: the next second shows each person's resting face, which is
    subtracted from then on. RESET: forgets every resting face."""

    TAKE_NEUTRAL = pb.CALIBRATION_TAKE_NEUTRAL
    RESET = pb.CALIBRATION_RESET


TAKE_NEUTRAL = Calibration.TAKE_NEUTRAL
RESET = Calibration.RESET


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is wanted of a picture. min_score: least score of a face, 0.01 to 1. max_faces: the best ones, 1 to 100; the
    server's defaults where these are None. refine: a second, closer look at each face, more accurate, slower.
    landmarks, blendshapes, identity: whether faces carry them. tiles: into how many, 1 to 4, the picture's longer side
    is cut so that smaller faces are found; not for streams. input_size: pixels along the longer side at which the
    network sees the picture, of those that the server offers, as 288, 416 or 576; more of them show smaller faces, and
    take longer; the server's default where it is None."""

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
    """A One-Euro filter. min_cutoff: hertz at rest, lower is steadier and slower to follow. beta: how much faster
    movement raises it. The server's defaults where they are None."""

    min_cutoff: float | None = None
    beta: float | None = None


@dataclass(frozen=True, kw_only=True)
class StreamConfig(Options):
    """What is wanted of each frame of a stream, and how the stream is to be looked at. smoothing: None leaves faces as
    each frame shows them. follow: looks for new faces every detect_every frames (1 to 300; the server's default where
    it is None) and only follows those that are known in between, which is quicker."""

    drop_policy: DropPolicy = DropPolicy.LATEST
    smoothing: Smoothing | None = None
    follow: bool = False
    detect_every: int | None = None


@dataclass(frozen=True)
class Frame:
    """One picture of a stream. timestamp_us: when it was taken, microseconds on any clock, strictly increasing.
    sequence: a number that its answer carries; by default its place in the stream, from 1."""

    image: Image
    timestamp_us: int
    sequence: int | None = None


Sendable = Frame | tuple[Image, float] | Calibration  # the float: when the picture was taken, seconds


def options_message(options: Options) -> pb.Options:
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


def retarget_message(image: Image, options: Options) -> pb.RetargetRequest:
    """Raises TypeError or ValueError for what is no picture."""
    return pb.RetargetRequest(image=image_message(image), options=options_message(options))


def config_message(config: StreamConfig) -> pb.RetargetStreamRequest:
    smoothing = config.smoothing
    message = pb.StreamConfig(
        options=options_message(config),
        drop_policy=config.drop_policy.value,
        smoothing=None if smoothing is None else _smoothing_message(smoothing),
        follow=config.follow,
        detect_every=config.detect_every,
    )
    return pb.RetargetStreamRequest(config=message)


def _smoothing_message(smoothing: Smoothing) -> pb.Smoothing:
    return pb.Smoothing(min_cutoff=smoothing.min_cutoff, beta=smoothing.beta)


def stream_message(item: Sendable, place: int) -> pb.RetargetStreamRequest:
    """place: the number of a frame that has none. Raises TypeError or ValueError for what cannot be sent."""
    if isinstance(item, Calibration):
        return pb.RetargetStreamRequest(calibration=item.value)
    if isinstance(item, tuple):
        image, seconds = item
        item = Frame(image, round(seconds * 1e6))
    if not isinstance(item, Frame):
        raise TypeError(f"a stream takes Frame, (image, seconds) and Calibration, not {type(item).__name__}")
    frame = pb.Frame(
        sequence=place if item.sequence is None else item.sequence,
        timestamp_us=item.timestamp_us,
        image=image_message(item.image),
    )
    return pb.RetargetStreamRequest(frame=frame)
