import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from service.tracking.options import SmoothingOptions
from service.tracking.smoothing import Smoother
from service.vision.faces import Faces, focal_length
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler
from tests.service.tracking.people import faces_of

OPTIONS = SmoothingOptions(min_cutoff=0.8, beta=3.0, derivative_cutoff=1.5)
IDS = np.array([7])
FACE = faces_of([[100, 50, 180, 150]], np.linspace(-1, 1, 50), expression=np.linspace(0, 1, 46)[None])


class OneEuro:
    """Algorithm 1 of the paper, a number at a time, with the rate of each step."""

    def __init__(self, mincutoff: float, beta: float, dcutoff: float) -> None:
        self.mincutoff, self.beta, self.dcutoff = mincutoff, beta, dcutoff
        self.hatxprev: float | None = None
        self.edx = 0.0

    def filter(self, x: float, rate: float) -> float:
        def low_pass(value: float, hatprev: float, cutoff: float) -> float:
            tau = 1.0 / (2 * math.pi * cutoff)
            alpha = 1.0 / (1.0 + tau * rate)
            return alpha * value + (1 - alpha) * hatprev

        if self.hatxprev is None:
            self.hatxprev = x
        else:
            self.edx = low_pass((x - self.hatxprev) * rate, self.edx, self.dcutoff)
            self.hatxprev = low_pass(x, self.hatxprev, self.mincutoff + self.beta * abs(self.edx))
        return self.hatxprev


def one_euro(values: np.ndarray, times: np.ndarray, options: SmoothingOptions = OPTIONS) -> np.ndarray:
    reference = OneEuro(options.min_cutoff, options.beta, options.derivative_cutoff)
    rates = [math.nan, *(1 / np.diff(times))]
    return np.array([reference.filter(x, rate) for x, rate in zip(values, rates, strict=True)])


def smoothed(faces: Sequence[Faces], times: np.ndarray, options: SmoothingOptions = OPTIONS) -> list[Faces]:
    smoother = Smoother(options)
    return [smoother.smooth(face, IDS, time) for face, time in zip(faces, times, strict=True)]


def uneven_times(random: np.random.Generator, number: int) -> np.ndarray:
    return 5 + np.cumsum(random.uniform(0.01, 0.08, number))


def test_expression_and_scale_are_the_papers_filter() -> None:
    random = np.random.default_rng(0)
    times, expression = uneven_times(random, 40), random.uniform(0, 1, (40, 46))
    scale = 5 * np.exp(0.1 * random.normal(size=40))
    faces = [
        replace(FACE, expression=e[None].astype(np.float32), scale=np.array([s], np.float32))
        for e, s in zip(expression, scale, strict=True)
    ]
    out = smoothed(faces, times)
    for column in (0, 20, 45):
        np.testing.assert_allclose(
            [face.expression[0, column] for face in out], one_euro(expression[:, column], times), atol=1e-5
        )
    np.testing.assert_allclose([face.scale[0] for face in out], np.exp(one_euro(np.log(scale), times)), rtol=1e-5)


def test_a_box_is_filtered_in_face_sizes() -> None:
    """One that moves along x at a scale of 5 pixels a cm: its size is that of 20 cm, 100 pixels."""
    random = np.random.default_rng(1)
    times, x = uneven_times(random, 40), np.cumsum(random.normal(0, 20, 40))
    faces = [replace(FACE, box=FACE.box + np.array([[dx, 0, dx, 0]], np.float32)) for dx in x]
    expected = 100 * one_euro(x / 100, times)
    found = np.array([face.box[0] for face in smoothed(faces, times)]) - FACE.box[0]
    np.testing.assert_allclose(found, expected[:, None] * [1, 0, 1, 0], atol=1e-3)


def test_the_heads_origin_is_filtered_in_face_sizes() -> None:
    """Translation is, in units of 20 cm, since scale stays."""
    random = np.random.default_rng(2)
    times, x = uneven_times(random, 40), np.cumsum(random.normal(0, 4, 40))
    faces = [replace(FACE, translation=np.array([[tx, 3, -80]], np.float32)) for tx in x]
    found = np.array([face.translation[0] for face in smoothed(faces, times)])
    np.testing.assert_allclose(found[:, 0], 20 * one_euro(x / 20, times), atol=1e-4)
    np.testing.assert_allclose(found[:, 1:], [[3, -80]] * 40, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rotation_about_one_axis_is_filtered_as_its_angle(axis: int) -> None:
    random = np.random.default_rng(3)
    times, angle = uneven_times(random, 60), np.cumsum(random.normal(0, 5, 60))
    turns = np.zeros((60, 3))
    turns[:, axis] = angle
    faces = [replace(FACE, quaternion=euler_to_quaternion(*turn)[None].astype(np.float32)) for turn in turns]
    out = np.concatenate([face.quaternion for face in smoothed(faces, times)])
    expected = np.zeros((60, 3))
    expected[:, axis] = np.degrees(one_euro(np.radians(angle), times))
    same = np.abs((out * euler_to_quaternion(*expected.T)).sum(axis=-1))
    np.testing.assert_allclose(same, 1, atol=1e-6)


def test_a_turn_past_half_a_circle_goes_on() -> None:
    """Quaternions with w >= 0 change their sign at 180 degrees of roll; the filtered head does not turn back."""
    times, roll = np.arange(60) / 30, np.linspace(90, 270, 60)
    faces = [replace(FACE, quaternion=euler_to_quaternion(0, 0, r)[None].astype(np.float32)) for r in roll]
    out = np.concatenate([face.quaternion for face in smoothed(faces, times)])
    found = np.unwrap(quaternion_to_euler(out)[2], period=360)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, np.degrees(one_euro(np.radians(roll), times)), atol=0.1)
    assert (out[:, 3] >= 0).all()


def test_the_first_face_is_unchanged() -> None:
    random = np.random.default_rng(4)
    faces = Faces(
        score=np.array([0.9, 0.8], np.float32),
        box=random.uniform(0, 500, (2, 4)).astype(np.float32),
        quaternion=euler_to_quaternion([10, -40], [5, 6], [7, 170]).astype(np.float32),
        translation=random.normal(0, 30, (2, 3)).astype(np.float32),
        scale=np.array([3.3, 11.7], np.float32),
        identity=random.normal(size=(2, 50)).astype(np.float32),
        expression=random.uniform(size=(2, 46)).astype(np.float32),
        gaze=random.uniform(size=(2, 8)).astype(np.float32),
    )
    out = Smoother(OPTIONS).smooth(faces, np.array([1, 2]), 123.0)
    for name, value in vars(faces).items():
        np.testing.assert_array_equal(getattr(out, name), value)
        assert getattr(out, name).dtype == np.float32


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_a_step_is_reached_and_held(fps: int) -> None:
    times = np.arange(3 * fps) / fps
    faces = [replace(FACE, expression=np.full((1, 46), float(t >= 1), np.float32)) for t in times]
    out = np.array([face.expression[0, 0] for face in smoothed(faces, times, SmoothingOptions())])
    assert (out[times < 1] == 0).all()
    assert (np.diff(out) >= 0).all()
    assert out[np.searchsorted(times, 1.1)] > 0.8
    assert out[-1] == pytest.approx(1, abs=1e-3)


def test_a_still_face_shakes_far_less() -> None:
    random = np.random.default_rng(5)
    times = np.arange(150) / 30
    scales = 5 * np.exp(random.normal(0, 0.01, 150))
    faces = [
        replace(
            FACE,
            box=(FACE.box + random.normal(0, 1.5, (1, 4))).astype(np.float32),
            translation=np.array([[3 + random.normal(0, 0.2), -2 + random.normal(0, 0.2), -400 / scale]], np.float32),
            quaternion=euler_to_quaternion(*random.normal(0, 1, (3, 1))).astype(np.float32),
            scale=np.array([scale], np.float32),
            identity=(FACE.identity + random.normal(0, 0.15, (1, 50))).astype(np.float32),
            expression=np.clip(FACE.expression + random.normal(0, 0.02, (1, 46)), 0, 1).astype(np.float32),
        )
        for scale in scales
    ]
    out = smoothed(faces, times, SmoothingOptions())

    def jitter(film: list[Faces], name: str) -> float:
        return float(np.abs(np.diff([getattr(face, name) for face in film[30:]], axis=0)).mean())

    for name in ("box", "translation", "quaternion", "scale", "identity", "expression"):
        assert jitter(out, name) < 0.3 * jitter(faces, name), name


def test_scale_jitter_does_not_move_a_face_far_from_the_centre() -> None:
    """The head stays at pixel 400 right of the centre; translation and scale go up and down together."""
    times = np.arange(30) / 30
    scale = 5 * np.exp(0.05 * np.random.default_rng(6).normal(size=30))
    depth = -focal_length(480, 63.0)
    faces = [
        replace(
            FACE, scale=np.array([s], np.float32), translation=np.array([[400 / s, 100 / s, depth / s]], np.float32)
        )
        for s in scale
    ]
    for face in smoothed(faces, times):
        np.testing.assert_allclose(face.scale * face.translation[0], [400, 100, depth], rtol=1e-5)


@given(arrays(np.float32, (12, 46), elements=st.floats(0, 1, width=32)), st.floats(0.01, 1000), st.floats(0, 1000))
def test_expressions_stay_between_0_and_1(expressions: np.ndarray, min_cutoff: float, beta: float) -> None:
    faces = [replace(FACE, expression=expression[None]) for expression in expressions]
    for face in smoothed(faces, np.arange(12) / 30, SmoothingOptions(min_cutoff, beta)):
        assert (face.expression >= 0).all()
        assert (face.expression <= 1).all()


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(0.01, 300)), min_size=2, max_size=12))
def test_a_box_stays_a_box(sides: list[tuple[float, float]]) -> None:
    """However its corners jump."""
    faces = [replace(FACE, box=np.array([[x, x, x + size, x + size]], np.float32)) for x, size in sides]
    for face in smoothed(faces, np.arange(len(sides)) / 30):
        x1, y1, x2, y2 = face.box[0]
        assert x1 <= x2
        assert y1 <= y2


def test_tracks_have_states_of_their_own() -> None:
    random = np.random.default_rng(7)
    expressions, times = random.uniform(size=(20, 3, 46)).astype(np.float32), np.arange(20) / 30
    together, alone = Smoother(OPTIONS), [Smoother(OPTIONS) for _ in range(3)]
    for frame, time in enumerate(times):
        present = np.flatnonzero(random.uniform(size=3) < 0.8)
        order = random.permutation(present)
        faces = faces_of(np.tile([0, 0, 9, 9], (len(order), 1)), np.zeros((len(order), 50)))
        faces = replace(faces, expression=expressions[frame, order])
        out = together.smooth(faces, order + 1, time)
        for row, track in enumerate(order):
            single = alone[track].smooth(faces.take(np.array([row])), np.array([track + 1]), time)
            np.testing.assert_array_equal(out.expression[row], single.expression[0])


def test_forgotten_tracks_begin_anew() -> None:
    smoother = Smoother(OPTIONS)
    smoother.smooth(FACE, IDS, 0.0)
    other = replace(FACE, expression=1 - FACE.expression)
    smoother.keep(np.array([6, 8]))
    np.testing.assert_array_equal(smoother.smooth(other, IDS, 0.1).expression, other.expression)
    smoother.keep(IDS)
    assert (smoother.smooth(FACE, IDS, 0.2).expression != FACE.expression).any()


def test_nobody_is_smoothed() -> None:
    assert len(Smoother(OPTIONS).smooth(Faces.none(), np.zeros(0, np.int64), 0.0)) == 0


def test_gaze_is_the_papers_filter() -> None:
    random = np.random.default_rng(8)
    times, gaze = uneven_times(random, 40), random.uniform(0, 1, (40, 8))
    out = smoothed([replace(FACE, gaze=g[None].astype(np.float32)) for g in gaze], times)
    for column in (0, 7):
        found = [face.gaze[0, column] for face in out]
        np.testing.assert_allclose(found, one_euro(gaze[:, column], times), atol=1e-5)


def test_a_gaze_that_was_not_seen_is_not_made_up_and_begins_anew() -> None:
    """Unseen in frames 0, 1 and 5; all else of the face is filtered as if nothing were missing."""
    random = np.random.default_rng(9)
    times, unseen = np.arange(9) / 30, [0, 1, 5]
    gaze, expression = random.uniform(0, 1, (9, 8)), random.uniform(0, 1, (9, 46)).astype(np.float32)
    gaze[unseen] = np.nan
    faces = [
        replace(FACE, gaze=g[None].astype(np.float32), expression=e[None])
        for g, e in zip(gaze, expression, strict=True)
    ]
    out = smoothed(faces, times)
    found = np.concatenate([face.gaze for face in out])
    assert np.isnan(found[unseen]).all()
    for begin, end in ((2, 5), (6, 9)):
        expected = one_euro(gaze[begin:end, 3], times[begin:end])
        np.testing.assert_allclose(found[begin:end, 3], expected, atol=1e-6)
    without = smoothed([replace(face, gaze=FACE.gaze) for face in faces], times)
    for face, same in zip(out, without, strict=True):
        np.testing.assert_array_equal(face.expression, same.expression)
