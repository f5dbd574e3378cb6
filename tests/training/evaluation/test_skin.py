"""Skin tone: colours against a reference implementation, places and groups by hand."""

import numpy as np
import pytest

from training.evaluation.skin import (
    groups_of,
    skin_colour,
    skin_metrics,
    skin_places,
    to_lab,
    typology_angle,
)


def test_lab_is_as_elsewhere() -> None:
    color = pytest.importorskip("skimage.color", reason="the reference is scikit-image's")
    rgb = np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    np.testing.assert_allclose(to_lab(rgb), color.rgb2lab(rgb), atol=0.05)


def test_typology_angle() -> None:
    lab = np.array([[60.0, 5, 10], [50, 5, 10], [40, 5, 10], [60, 0.1, 0.1]])
    np.testing.assert_allclose(typology_angle(lab), [45, 0, -45, np.nan], atol=1e-9)


def upright_face() -> np.ndarray:
    """Rough 68 points of a face upright in 200 x 200 pixels."""
    points = np.full((68, 2), 100.0)
    points[3], points[13] = (45, 115), (155, 115)
    points[21], points[22], points[33] = (90, 70), (110, 70), (100, 115)
    points[31], points[35] = (88, 112), (112, 112)
    points[36], points[45] = (60, 80), (140, 80)
    points[40], points[41], points[46], points[47] = (80, 84), (68, 84), (132, 84), (120, 84)
    points[48], points[54] = (80, 135), (120, 135)
    return points


def test_skin_is_looked_at_beside_the_nose_and_above_the_brows() -> None:
    (right, left, forehead), radius = skin_places(upright_face())
    assert radius == pytest.approx(8)
    np.testing.assert_allclose(right, [72.2, 106])  # the subject's right cheek, at the picture's left
    np.testing.assert_allclose(left, [127.8, 106])
    np.testing.assert_allclose(forehead, [100, 52])
    turned = skin_places(upright_face() @ np.array([[0, -1], [1, 0]]) + [0, 200])[0]  # the picture on its side
    np.testing.assert_allclose(turned[2], [52, 100])


def test_colour_is_the_median_of_the_places_alone() -> None:
    photo = np.full((200, 200, 3), (0, 0, 255), np.uint8)
    y, x = np.mgrid[:200, :200] + 0.5
    for cx, cy in ((72.2, 106), (127.8, 106), (100, 52)):
        photo[(x - cx) ** 2 + (y - cy) ** 2 < 10**2] = (200, 150, 120)
    np.testing.assert_allclose(skin_colour(photo, upright_face()), to_lab(np.array([200, 150, 120], np.uint8)))
    assert np.isnan(skin_colour(photo, upright_face() + 500)).all()


def test_small_classes_are_joined() -> None:
    angles = np.concatenate([np.full(3, -40), np.full(18, 0), np.full(30, 20), np.full(25, 35), np.full(4, 60)])
    assert groups_of(angles) == [
        ("dark to brown", -np.inf, 10),
        ("tan", 10, 28),
        ("intermediate to very light", 28, np.inf),
    ]
    assert groups_of(np.full(5, 20.0)) == [("dark to very light", -np.inf, np.inf)]


def test_faces_by_group() -> None:
    box = np.full((68, 2), 50.0)
    box[0], box[1] = (10, 20), (50, 110)  # sqrt(w h) is 60
    annotated = np.stack([box] * 41)
    points = annotated + 0.6
    points[20:] = annotated[20:] + np.array([3.0, 0])
    points[0] = np.nan
    angles = np.concatenate([np.full(20, 35.0), np.full(20, 50.0), [np.nan]])
    scores = np.concatenate([[np.nan], np.full(19, 0.9), np.full(21, 0.7)])
    result = skin_metrics(points, annotated, scores, angles)
    medium, light = result.groups
    assert result.colourless == 1
    assert (medium.name, medium.faces, medium.missed) == ("dark to intermediate", 20, 1)
    assert medium.nme == pytest.approx(100 * 0.6 * np.sqrt(2) / 60)
    assert medium.score == pytest.approx(0.9)
    assert (light.name, light.faces, light.missed) == ("light to very light", 20, 0)
    assert light.nme == pytest.approx(5)
