import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from service.errors import BAD_PARAMETER, BAD_PICTURE, RequestError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.tracking.neutral import NeutralState
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.crops import crops_of, side_for
from service.vision.image import Picture
from tests.service.tiny_models import GAZE_LOGIT, SIDE
from tests.service.tracking.blobs import HEIGHT, WIDTH, World, draw, process_all

STILL = (100.0, 90.0, 60.0, 200)
FOLLOW = StreamOptions(follow=True, detect_every=10)


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world.models, Settings())


# every frame on its own


def test_frames_are_seen_at_the_input_size(models: Models) -> None:
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[96:112, 96:112] = 255  # a quarter of a cell at 96, a cell at 192
    picture, pipeline, asked = Picture(pixels, 192, 192), Pipeline(models), []

    def source(side: int) -> Picture:
        asked.append(side)
        return picture

    assert len(Session(pipeline, StreamOptions()).process_frame(source, 0.0).faces) == 0
    assert len(Session(pipeline, StreamOptions(input_size=192)).process_frame(source, 0.0).faces) == 1
    assert asked == [96, 192]
    with pytest.raises(RequestError, match="input_size is 288; expected 96 or 192"):
        Session(pipeline, StreamOptions(input_size=288))


def test_without_options_faces_are_the_pipelines(pipeline: Pipeline, world: World) -> None:
    picture = draw(STILL, (250, 100, 50, 90))
    result = Session(pipeline, StreamOptions()).process_picture(picture, 12.5)
    expected = pipeline.retarget_picture(picture, RetargetOptions())
    for name, value in vars(expected.faces).items():
        np.testing.assert_array_equal(getattr(result.faces, name), value)
    assert (result.width, result.height, result.detected) == (expected.width, expected.height, True)
    assert result.track_id.tolist() == [1, 2]
    assert result.track_id.dtype == np.int64
    assert result.neutral == (NeutralState.OFF, NeutralState.OFF)
    assert world.asked == ["MFN", "MFN"]


def test_refine_looks_at_each_face_of_each_frame(pipeline: Pipeline, world: World) -> None:
    results = process_all(Session(pipeline, StreamOptions(refine=True)), [draw(STILL, (250, 100, 50, 90))] * 3)
    assert world.asked == ["MFN", 2] * 3
    assert all(result.detected for result in results)


@pytest.mark.parametrize("smoothing", [None, SmoothingOptions()])
def test_gaze_is_seen_with_refine_alone_and_never_calibrated(
    pipeline: Pipeline, smoothing: SmoothingOptions | None
) -> None:
    for refine in (False, True):
        session = Session(pipeline, StreamOptions(refine=refine, smoothing=smoothing))
        session.calibrate()
        *_, last = process_all(session, [draw(STILL)] * 40)
        assert last.neutral == (NeutralState.ON,)
        if refine:
            np.testing.assert_allclose(last.faces.gaze, 1 / (1 + np.exp(-GAZE_LOGIT[None])), rtol=1e-6)
        else:
            assert np.isnan(last.faces.gaze).all()


def test_options_bound_what_is_found(pipeline: Pipeline) -> None:
    picture = draw(STILL, (250, 100, 50, 90))
    assert len(Session(pipeline, StreamOptions(max_faces=1)).process_picture(picture, 0).faces) == 1
    assert len(Session(pipeline, StreamOptions(min_score=0.999)).process_picture(picture, 0).faces) == 0


def test_pictures_are_decoded_as_large_as_the_networks_see(pipeline: Pipeline, world: World) -> None:
    """The first frame as large as it takes to find faces, then as the smallest face needs it; the next at once so."""
    picture = draw((90, 96, 140, 200), (290, 96, 110, 90))
    found = pipeline.retarget_picture(picture, RetargetOptions()).faces
    crops = crops_of(found, pipeline.models.face_model, picture.width, picture.height, pipeline.models.crop_factor)
    needed = side_for(crops, picture.width, picture.height)
    coarse = Picture(
        picture.pixels.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean((1, 3)).astype(np.uint8), WIDTH, HEIGHT
    )
    assert max(coarse.pixels.shape) < needed < WIDTH  # so that the coarse picture will not do
    asked: list[int] = []

    def source(side: int) -> Picture:
        asked.append(side)
        return picture if side > WIDTH // 2 else coarse

    for options, first, later in (
        (StreamOptions(), [SIDE], [SIDE]),
        (StreamOptions(refine=True), [SIDE, needed], [needed]),
        (StreamOptions(follow=True), [SIDE, needed], [needed]),
    ):
        session = Session(pipeline, options, world.clock)
        for timestamp, expected in ((0.0, first), (0.1, later), (0.2, later)):
            asked.clear()
            assert len(session.process_frame(source, timestamp).faces) == 2
            assert asked == pytest.approx(expected, rel=0.03)


def test_every_step_is_timed(pipeline: Pipeline) -> None:
    timing = Session(pipeline, StreamOptions(refine=True)).process_frame(lambda _: draw(STILL), 0, queue_ms=4).timing
    assert timing.queue == 4
    assert all(ms > 0 for ms in vars(timing).values())


# time


@pytest.mark.parametrize("timestamp", [1.0, 0.5, -math.inf, math.inf, math.nan])
def test_time_must_rise(pipeline: Pipeline, timestamp: float) -> None:
    session, twin = (Session(pipeline, StreamOptions(smoothing=SmoothingOptions())) for _ in range(2))
    for each in (session, twin):
        each.process_picture(draw(STILL), 1.0)
    with pytest.raises(RequestError) as refused:
        session.process_picture(draw(), timestamp)
    assert refused.value.kind is BAD_PARAMETER
    assert "timestamp" in refused.value.detail
    moved = draw((110, 90, 60, 200))  # as if the refused frame had never been
    np.testing.assert_array_equal(
        session.process_picture(moved, 1.1).faces.box, twin.process_picture(moved, 1.1).faces.box
    )


@pytest.mark.parametrize("timestamp", [-5.0, 0.0, 1.7e9])
def test_time_may_start_anywhere(pipeline: Pipeline, timestamp: float) -> None:
    session = Session(pipeline, FOLLOW)
    assert [session.process_picture(draw(STILL), timestamp + frame / 30).track_id.tolist() for frame in range(3)] == [
        [1]
    ] * 3


@pytest.mark.parametrize("options", [StreamOptions(), FOLLOW, StreamOptions(refine=True)])
def test_a_frame_that_raises_changes_nothing(
    pipeline: Pipeline, world: World, options: StreamOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, twin = (Session(pipeline, options, world.clock) for _ in range(2))
    film = [draw((100 + 3 * frame, 90, 60, 200)) for frame in range(6)]
    for frame, picture in enumerate(film):
        if frame == 3:
            with monkeypatch.context() as patch:
                for network in (world.models.mfn, world.models.sfn):
                    patch.setattr(type(network), "run", broken)
                with pytest.raises(MemoryError):
                    session.process_picture(draw(), frame / 30)
        ours, theirs = session.process_picture(picture, frame / 30), twin.process_picture(picture, frame / 30)
        np.testing.assert_array_equal(ours.faces.box, theirs.faces.box)
        assert ours.track_id.tolist() == theirs.track_id.tolist() == [1]
        assert ours.detected == theirs.detected


def broken(*_: object) -> None:
    raise MemoryError


# who is who


def test_two_pass_each_other_and_keep_their_ids(pipeline: Pipeline) -> None:
    session, had = Session(pipeline, StreamOptions()), []
    for frame in range(61):
        x = 60 + 4 * frame
        result = session.process_picture(draw((x, 50, 50, 230), (WIDTH - x, 140, 50, 80)), frame / 30)
        from_above = np.argsort(result.faces.box[:, 1])
        had.append(tuple(result.track_id[from_above].tolist()))
    assert len(set(had)) == 1


# smoothing


def test_smoothing_is_an_option(pipeline: Pipeline) -> None:
    film = [draw((100 + (-1) ** frame, 90, 60, 200)) for frame in range(40)]

    def jitter(options: StreamOptions) -> float:
        boxes = [result.faces.box for result in process_all(Session(pipeline, options), film)]
        return float(np.abs(np.diff(boxes[10:], axis=0)).mean())

    assert jitter(StreamOptions(smoothing=SmoothingOptions())) < 0.3 * jitter(StreamOptions())


# neutral


class Grin:
    """A Multiple Face Network whose faces all show one expression."""

    def __init__(self, network: object) -> None:
        self.network, self.weight = network, 0.5

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        raw: dict[str, np.ndarray] = self.network.run(images)  # type: ignore[attr-defined]
        return raw | {"expression": np.full_like(raw["expression"], np.log(self.weight / (1 - self.weight)))}


def test_a_second_of_rest_is_taken_off(world: World) -> None:
    grin = Grin(world.models.mfn)
    pipeline = Pipeline(replace(world.models, mfn=grin))  # type: ignore[arg-type]
    session = Session(pipeline, StreamOptions())

    def look(timestamp: float, weight: float) -> FrameResult:
        grin.weight = weight
        return session.process_picture(draw(STILL), timestamp)

    grins: list[tuple[float, float, float, NeutralState]] = [
        (0.0, 0.3, 0.3, NeutralState.OFF),
        (0.1, 0.1, 0.1, NeutralState.COLLECTING),  # asked for before this frame
        (0.6, 0.3, 0.3, NeutralState.COLLECTING),
        (1.1, 0.6, 0.5, NeutralState.ON),  # (0.6 - 0.2) / (1 - 0.2)
        (1.2, 0.1, 0.0, NeutralState.ON),
    ]
    for timestamp, seen, expected, state in grins:
        if timestamp == 0.1:
            session.calibrate()
        result = look(timestamp, seen)
        np.testing.assert_allclose(result.faces.expression, expected, atol=1e-5)
        np.testing.assert_allclose(result.uncalibrated.expression, seen, atol=1e-5)
        assert result.neutral == (state,)
        shown = result.uncalibrated.landmarks(pipeline.models.face_model, WIDTH, result.height)
        np.testing.assert_array_equal(result.landmarks(pipeline.models.face_model), shown)
    session.reset_neutral()
    result = look(1.3, 0.6)
    np.testing.assert_allclose(result.faces.expression, 0.6, atol=1e-5)
    assert result.neutral == (NeutralState.OFF,)


def test_sessions_share_nothing(pipeline: Pipeline) -> None:
    first, second = Session(pipeline, FOLLOW), Session(pipeline, FOLLOW)
    process_all(first, [draw(STILL)] * 3)
    first.calibrate()
    assert second.process_picture(draw((300, 60, 50, 90)), 0.0).track_id.tolist() == [1]
    assert second.process_picture(draw((300, 60, 50, 90)), 0.1).neutral == (NeutralState.OFF,)


# the frames' clock


@dataclass(frozen=True)
class Seen:
    """What is told of a frame's only face."""

    restarted: bool
    track: int
    neutral: NeutralState


def seen(result: FrameResult) -> Seen:
    (track,), (neutral,) = result.track_id.tolist(), result.neutral
    return Seen(result.restarted, track, neutral)


HOUR = 3600
TOP = 2**62 / 1e6


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize(
    ("times", "restarts"),
    [
        ([0.0, 0.03, TOP, TOP + 0.03], [2]),
        ([0.0, 0.03, TOP, 0.06, 0.09], [2, 3]),  # one wrong timestamp
        ([HOUR, HOUR + 0.03, 0.06, 0.09], [2]),
        ([0.0, 0.03, -1.0, -0.97], [2]),
        ([0.0, 0.99, 1.98], []),
        ([0.0, 1.01], [1]),  # a pause: the tracks have ended
        ([-1e308, 1e308, -1e308], [1, 2]),
        ([5e-324, 1e308], [1]),
    ],
)
def test_where_the_clock_jumps_the_stream_goes_on_with_new_tracks(
    world: World, follow: bool, times: list[float], restarts: list[int]
) -> None:
    options = StreamOptions(follow=follow, smoothing=SmoothingOptions())
    pipeline = Pipeline(world.models, Settings())
    session = Session(pipeline, options, world.clock)
    results = [session.process_picture(draw(STILL), time) for time in times]
    assert [number for number, result in enumerate(results) if result.restarted] == restarts
    tracks = [1 + sum(restart <= number for restart in restarts) for number in range(len(times))]
    assert [result.track_id.tolist() for result in results] == [[track] for track in tracks]
    for result in results:
        assert np.isfinite(result.faces.box).all()
        if result.restarted:  # as the first frame of a session of its own
            (fresh,) = process_all(Session(pipeline, options, world.clock), [draw(STILL)])
            np.testing.assert_array_equal(result.faces.expression, fresh.faces.expression)
            assert result.detected


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (HOUR, "The timestamp, 3600.000000 s, is that of the last frame; it must rise."),
        (HOUR - 0.25, "The timestamp, 3599.750000 s, is 0.250000 s before that of the last frame; it must rise."),
        (HOUR - 0.999, "is 0.999000 s before"),
    ],
)
def test_a_frame_that_was_overtaken_is_refused_alone(pipeline: Pipeline, time: float, words: str) -> None:
    session = Session(pipeline, StreamOptions())
    session.process_picture(draw(STILL), HOUR)
    with pytest.raises(RequestError, match=re.escape(words)) as refused:
        session.process_picture(draw(STILL), time)
    assert refused.value.kind is BAD_PARAMETER
    assert seen(session.process_picture(draw(STILL), HOUR + 0.03)) == Seen(False, 1, NeutralState.OFF)


def test_a_frame_that_fails_does_not_restart_the_stream(pipeline: Pipeline) -> None:
    def fails(_: int) -> Picture:
        raise RequestError(BAD_PICTURE, "no picture")

    session = Session(pipeline, StreamOptions())
    session.process_picture(draw(STILL), 0.0)
    with pytest.raises(RequestError, match="no picture"):
        session.process_frame(fails, TOP)
    assert seen(session.process_picture(draw(STILL), 0.03)) == Seen(False, 1, NeutralState.OFF)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_neutral_faces_go_with_their_tracks_and_a_calibration_begins_anew(pipeline: Pipeline, jump: float) -> None:
    session = Session(pipeline, StreamOptions())

    def look(time: float) -> Seen:
        return seen(session.process_picture(draw(STILL), time))

    look(0.0)
    session.calibrate()
    assert look(0.5) == Seen(False, 1, NeutralState.COLLECTING)
    assert look(jump) == Seen(True, 2, NeutralState.COLLECTING)
    assert look(jump + 0.9) == Seen(False, 2, NeutralState.COLLECTING)
    assert look(jump + 1.0) == Seen(False, 2, NeutralState.ON)
    assert look(0.0) == Seen(True, 3, NeutralState.OFF)
    session.calibrate()  # asked for before the clock jumps, and taken after it
    assert look(jump) == Seen(True, 4, NeutralState.COLLECTING)


def test_fractions_keep_microseconds_apart_at_any_distance(pipeline: Pipeline) -> None:
    """As float64, seconds of that size are 1 ms apart."""
    last = 2**63 - 1
    session = Session(pipeline, StreamOptions(smoothing=SmoothingOptions()))
    times = [-(2**63), last - 2, last - 1, last]
    results = [session.process_picture(draw(STILL), Fraction(time, 10**6)) for time in times]
    assert list(map(seen, results)) == [
        Seen(restarted, track, NeutralState.OFF) for restarted, track in ((False, 1), (True, 2), (False, 2), (False, 2))
    ]
