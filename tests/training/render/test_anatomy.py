import numpy as np

from training.render.anatomy import distance_to_line, inside_polygon, seen_from, smoothed, smoothstep


def test_distance_to_a_polyline_by_hand() -> None:
    line = np.array([[0.0, 0], [4, 0], [4, 3]])
    points = np.array([[2.0, 2], [-3, 4], [6, 3], [4, 1]])
    np.testing.assert_allclose(distance_to_line(points, line), [2, 5, 2, 0], atol=1e-6)


def test_inside_a_polygon_with_a_notch() -> None:
    polygon = np.array([[0.0, 0], [4, 0], [4, 4], [2, 1], [0, 4]])
    assert inside_polygon(np.array([[0.5, 2], [2, 0.5], [2, 2], [3.5, 2], [5, 1]]), polygon).tolist() == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_smoothstep_runs_from_zero_to_one() -> None:
    np.testing.assert_allclose(smoothstep(np.array([-1.0, 2, 3, 4, 9]), 2, 4), [0, 0, 0.5, 1, 1])


def test_a_wall_keeps_light_from_the_floor_behind_it() -> None:
    floor = np.array([[-9.0, 0, -9], [-9, 0, 9], [9, 0, 9], [9, 0, -9], [0, 0, -3], [0, 0, 3]])
    roof = np.array([[-4.0, 3, -6], [-4, 3, 0], [4, 3, 0], [4, 3, -6]])  # above the floor's back half
    points = np.concatenate([floor, roof])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [6, 7, 8], [6, 8, 9]])
    seen = seen_from(points, triangles, np.array([0.0, 1, 0]))
    assert seen[[0, 1, 2, 3, 5, 6, 7, 8, 9]].all()
    assert not seen[4]


def test_smoothing_keeps_constants_and_softens_steps() -> None:
    triangles = np.array([[0, 1, 2], [1, 3, 2]])
    np.testing.assert_allclose(smoothed(np.ones(4), triangles), 1)
    np.testing.assert_allclose(smoothed(np.array([0.0, 0, 0, 3]), triangles), [0, 0.5, 0.5, 1])
