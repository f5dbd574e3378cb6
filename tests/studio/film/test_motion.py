import numpy as np
import pytest

from studio.film.motion import FRAMES, SECONDS, Gesture, ease, expressions, through, times


def test_the_loop_is_of_whole_frames() -> None:
    assert len(times()) == FRAMES
    np.testing.assert_allclose(times()[[0, 30, -1]], [0, 1, SECONDS - 1 / 30])


def test_ease_goes_from_0_to_1_and_is_half_way_in_the_middle() -> None:
    np.testing.assert_allclose(ease(np.array([-1, 0, 0.5, 1, 2])), [0, 0, 0.5, 1, 1])


def test_a_value_passes_its_keys_and_is_half_way_between_them() -> None:
    keys = [(1, 10.0), (3, 20.0), (11, 0.0)]
    np.testing.assert_allclose(through(keys, np.array([1.0, 2, 3, 7, 11])), [10, 15, 20, 10, 0])


def test_a_value_goes_from_its_last_key_through_the_loops_end_to_its_first() -> None:
    keys = [(1, 10.0), (11, 0.0)]  # two seconds apart, by the loop's end
    np.testing.assert_allclose(through(keys, np.array([0.0, 11.5])), np.array([5, 10 * ease(np.array(0.25))]))


def test_a_gesture_comes_stays_and_goes() -> None:
    gesture = Gesture(1, 1, 2, 1, {})
    np.testing.assert_allclose(gesture.strength(np.array([0.9, 1, 1.5, 2, 4, 4.5, 5, 8])), [0, 0, 0.5, 1, 1, 0.5, 0, 0])


def test_a_gesture_goes_on_past_the_loops_end() -> None:
    gesture = Gesture(SECONDS - 1, 1, 0, 1, {})
    np.testing.assert_allclose(gesture.strength(np.array([SECONDS - 0.5, 0, 0.5, 1])), [0.5, 1, 0.5, 0], atol=1e-12)


def test_gestures_add_up_to_1_at_most() -> None:
    names = ("jawOpen", "mouthSmile_L", "mouthSmile_R")
    gestures = [Gesture(0, 1, 1, 1, {"mouthSmile": 0.5, "jawOpen": 0.7}), Gesture(0, 1, 1, 1, {"jawOpen": 0.6})]
    shown = expressions({"mouthSmile_L": 0.1}, gestures, names, np.array([1.0, 6.0]))
    np.testing.assert_allclose(shown, [[1, 0.6, 0.5], [0, 0.1, 0]])


def test_a_name_that_the_face_model_lacks_is_told() -> None:
    with pytest.raises(ValueError, match="mouthGrin is no expression"):
        expressions({"mouthGrin": 1}, [], ("jawOpen",), np.zeros(1))
