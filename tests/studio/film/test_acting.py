"""The two performances as the API tells them, without the face model: its names are enough."""

import numpy as np
import pytest

from service.vision.arkit import ARKIT_NAMES
from service.vision.rotation import quaternion_to_euler
from studio.film.acting import Acting
from studio.film.motion import Gesture, times
from studio.film.performance import LEFT, RIGHT, Performance

pytest.importorskip("cv2", reason="heads are rendered with OpenCV, which the group test brings")

from studio.film.people import PEOPLE
from studio.film.scene import NECK, body_stays, pose_about_neck

NAMES = (
    "browDown_L", "browDown_R", "browInnerUp_L", "browInnerUp_R", "browOuterUp_L", "browOuterUp_R", "cheekPuff_L",
    "cheekPuff_R", "cheekSquint_L", "cheekSquint_R", "eyeBlink_L", "eyeBlink_R", "eyeSquint_L", "eyeSquint_R",
    "eyeWide_L", "eyeWide_R", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimple_L",
    "mouthDimple_R", "mouthFrown_L", "mouthFrown_R", "mouthFunnel", "mouthLeft", "mouthLowerDown_L",
    "mouthLowerDown_R", "mouthPress_L", "mouthPress_R", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile_L", "mouthSmile_R", "mouthStretch_L",
    "mouthStretch_R", "mouthUpperUp_L", "mouthUpperUp_R", "noseSneer_L", "noseSneer_R", "eyeLookDown",
)  # fmt: skip


def column(acting: Acting, name: str) -> np.ndarray:
    return acting.blendshapes[:, ARKIT_NAMES.index(name)]


def still(**changed: object) -> Performance:
    held = [(0.0, 0.0)]
    parts = {"rest": {}, "gestures": [], "yaw": held, "pitch": held, "roll": held, "gaze_yaw": held, "gaze_pitch": held}
    return Performance(**{**parts, **changed})  # type: ignore[arg-type]


def test_a_gesture_is_told_by_arkits_names() -> None:
    acting = Acting.of(still(gestures=[Gesture(1, 1, 2, 1, {"eyeBlink_L": 0.8})]), NAMES, np.array([0.0, 3]))
    np.testing.assert_allclose(column(acting, "eyeBlinkLeft"), [0, 0.8], atol=1e-6)
    np.testing.assert_allclose(column(acting, "eyeBlinkRight"), [0, 0], atol=1e-6)


def test_eyes_that_look_to_the_subjects_left_go_out_at_the_left_and_in_at_the_right() -> None:
    acting = Acting.of(still(gaze_yaw=[(0.0, 19.5)]), NAMES, np.zeros(1))
    assert column(acting, "eyeLookOutLeft")[0] == pytest.approx(19.5 / 39, abs=1e-6)
    assert column(acting, "eyeLookInRight")[0] == pytest.approx(19.5 / 21.5, abs=1e-6)
    assert column(acting, "eyeLookInLeft")[0] == 0


def test_lids_sink_with_the_gaze() -> None:
    acting = Acting.of(still(gaze_pitch=[(0.0, 17.5)]), NAMES, np.zeros(1))
    assert column(acting, "eyeLookDownLeft")[0] == pytest.approx(0.5, abs=1e-6)
    assert acting.expression[0, NAMES.index("eyeLookDown")] == pytest.approx(0.5, abs=1e-6)


def test_angles_and_quaternion_are_one_rotation() -> None:
    acting = Acting.of(LEFT, NAMES, times())
    np.testing.assert_allclose(np.stack(quaternion_to_euler(acting.quaternion), axis=1), acting.angles, atol=1e-6)


@pytest.mark.parametrize("performance", [LEFT, RIGHT])
def test_each_performance_shows_what_faces_do(performance: Performance) -> None:
    acting = Acting.of(performance, NAMES, times())
    for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight"):
        assert np.ptp(column(acting, name)) > 0.7, name
    assert np.abs(column(acting, "eyeBlinkLeft") - column(acting, "eyeBlinkRight")).max() > 0.8  # a wink
    assert np.abs(acting.angles[:, 0]).max() == pytest.approx(30, abs=0.5)
    assert np.ptp(acting.angles[:, 1]) > 10
    assert np.ptp(acting.angles[:, 2]) > 10
    assert (acting.blendshapes >= 0).all()
    assert (acting.blendshapes <= 1).all()


@pytest.mark.parametrize("performance", [LEFT, RIGHT])
def test_nothing_jumps_not_even_where_the_loop_closes(performance: Performance) -> None:
    acting = Acting.of(performance, NAMES, times())
    steps = [np.abs(series - np.roll(series, 1, axis=0)).max(1) for series in (acting.angles, acting.blendshapes)]
    assert steps[0].max() < 5  # degrees a frame
    assert steps[1].max() < 0.7  # a blink takes a tenth of a second to shut
    assert (steps[0][0], steps[1][0]) < (2, 0.3)  # from the last frame to the first


def test_the_neck_stays_where_the_person_is() -> None:
    for angles in ((0, 0, 0), (30, -10, 8)):
        acting = Acting.of(still(**{k: [(0.0, a)] for k, a in zip(("yaw", "pitch", "roll"), angles, strict=True)}),
                           NAMES, np.zeros(1))  # fmt: skip
        pose = pose_about_neck(PEOPLE[0], acting.quaternion[0])
        np.testing.assert_allclose(pose.pixels(pose.turn(NECK[None]))[0, :2], PEOPLE[0].place, atol=1e-3)


def test_the_body_stays_and_the_face_turns() -> None:
    acting = Acting.of(still(yaw=[(0.0, 30.0)]), NAMES, np.zeros(1))
    points = np.array([[10, -20, 2], [0, 0, 9]], np.float32)  # a shoulder and the nose
    pose, straight = (pose_about_neck(PEOPLE[0], q) for q in (acting.quaternion[0], np.array([0, 0, 0, 1.0])))
    moved = points + body_stays(points[:, 1], points, acting.quaternion[0])
    shown, before = pose.pixels(pose.turn(moved)), straight.pixels(points)
    np.testing.assert_allclose(shown[0, :2], before[0, :2], atol=1e-3)
    assert shown[1, 0] - before[1, 0] == pytest.approx(PEOPLE[0].scale * (9 - NECK[2]) * 0.5, abs=0.01)
