"""Messages of the gRPC contract, in any order, with any numbers and pictures of any bytes."""

from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb

Messages = list[pb.RetargetStreamRequest]

NUMBERS = st.one_of(st.none(), st.floats(width=64), st.sampled_from([0.0, 0.01, 0.5, 1.0]))
NEUTRAL: st.SearchStrategy[dict[str, float]] = st.one_of(
    st.just({}), st.dictionaries(st.text(max_size=10), st.floats(width=32), max_size=3)
)
UINT32 = st.one_of(st.integers(0, 12), st.integers(0, 2**32 - 1))


def options(number: float | None) -> pb.Options:
    """Options with a least score, or with landmarks where there is none."""
    return pb.Options(include_landmarks=True) if number is None else pb.Options(min_score=number)


def raw(sizes: tuple[int, int, int, int], data: bytes) -> pb.Image:
    """Raw pixels of a format, width, height and stride."""
    pixel_format, width, height, stride = sizes
    # enums are open in proto3: any number may come
    return pb.Image(raw=pb.RawPixels(format=pixel_format, width=width, height=height, stride=stride, data=data))  # type: ignore[arg-type]


def described(
    sizes: tuple[int, int, int], data: bytes, planes: list[tuple[int, int]], values: tuple[int, int], bottom_up: bool
) -> pb.RawPixels:
    """Raw pixels of a format, width and height, with the offset and stride of each plane, a matrix and a range."""
    pixel_format, width, height = sizes
    return pb.RawPixels(
        format=pixel_format,  # type: ignore[arg-type]
        width=width,
        height=height,
        data=data,
        planes=[pb.Plane(offset=offset, stride=stride) for offset, stride in planes],
        color_matrix=values[0],  # type: ignore[arg-type]
        color_range=values[1],  # type: ignore[arg-type]
        bottom_up=bottom_up,
    )


DESCRIBED = st.builds(
    described,
    st.tuples(st.integers(0, 11), UINT32, UINT32),
    st.binary(max_size=300),
    st.lists(st.tuples(UINT32, UINT32), max_size=4),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.booleans(),
)
ROTATIONS = st.one_of(st.sampled_from([0, 90, 180, 270]), UINT32)


def images(encoded: st.SearchStrategy[bytes]) -> st.SearchStrategy[pb.Image]:
    """Pictures: encoded ones, raw ones of any layout, turned ones, none."""
    return st.one_of(
        encoded.map(lambda data: pb.Image(encoded=data)),
        st.builds(raw, st.tuples(st.integers(0, 12), UINT32, UINT32, UINT32), st.binary(max_size=300)),
        st.builds(lambda pixels, rotation: pb.Image(raw=pixels, rotation=rotation), DESCRIBED, ROTATIONS),
        st.just(pb.Image()),
    )


def _frame(sequence: int, stamp: int, image: pb.Image) -> pb.RetargetStreamRequest:
    return pb.RetargetStreamRequest(frame=pb.Frame(sequence=sequence, timestamp_us=stamp, image=image))


def _configuration(
    number: float | None, policy: int, every: int, cutoff: float | None, neutral: dict[str, float]
) -> pb.RetargetStreamRequest:
    return pb.RetargetStreamRequest(
        config=pb.StreamConfig(
            options=options(number),
            drop_policy=policy,  # type: ignore[arg-type]
            follow=True,
            detect_every=every,
            smoothing=None if cutoff is None else pb.Smoothing(min_cutoff=cutoff),
            neutral=neutral,
        )
    )


def streams(encoded: st.SearchStrategy[bytes]) -> st.SearchStrategy[Messages]:
    """Streams of up to six messages of any kind; about half of them begin with a valid configuration."""
    frames = st.builds(_frame, st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1), images(encoded))
    configurations = st.builds(_configuration, NUMBERS, st.integers(0, 4), UINT32, NUMBERS, NEUTRAL)
    others = st.one_of(
        st.integers(0, 5).map(lambda value: pb.RetargetStreamRequest(calibration=value)),  # type: ignore[arg-type]
        st.just(pb.RetargetStreamRequest()),
    )
    start = st.just(pb.RetargetStreamRequest(config=pb.StreamConfig(drop_policy=pb.DROP_POLICY_NONE)))
    return st.one_of(
        st.lists(st.one_of(frames, configurations, others), max_size=6),
        st.tuples(start, st.lists(st.one_of(frames, others), max_size=6)).map(lambda parts: [parts[0], *parts[1]]),
    )
