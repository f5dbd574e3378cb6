"""USD's text by USD itself, where the package usd-core is installed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.cli.capture.formats import usda
from service.cli.capture.take import Take
from service.vision.arkit import ARKIT_NAMES
from tests.service.cli.capture.formats import takes

pxr: Any = pytest.importorskip("pxr", reason="the package usd-core is not installed")
Gf: Any = pytest.importorskip("pxr.Gf")
Usd: Any = pytest.importorskip("pxr.Usd")
UsdGeom: Any = pytest.importorskip("pxr.UsdGeom")
UsdSkel: Any = pytest.importorskip("pxr.UsdSkel")
UsdValidation: Any = pytest.importorskip("pxr.UsdValidation")

HEAD = 1  # among the joints
LEFT_EYE = 2


def stage(take: Take, folder: Path) -> Any:
    usda.write(take, folder / "take.usda")
    return Usd.Stage.Open(str(folder / "take.usda"))


@pytest.fixture
def skeleton(tmp_path: Path) -> Iterator[Any]:
    """The take's skeleton with its animation."""
    opened, cache = stage(takes.take(), tmp_path), UsdSkel.Cache()
    cache.Populate(UsdSkel.Root.Get(opened, "/Take"), Usd.TraverseInstanceProxies())
    yield cache.GetSkelQuery(UsdSkel.Skeleton.Get(opened, "/Take/Skeleton"))
    cache.Clear()


def direction(skeleton: Any, frame: int, joint: int, along: tuple[float, float, float]) -> list[float]:
    """Where a joint points, in the skeleton's frame."""
    return list(skeleton.ComputeJointSkelTransforms(frame)[joint].TransformDir(Gf.Vec3d(*along)))


def test_usds_validators_find_nothing(tmp_path: Path) -> None:
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage(takes.take(), tmp_path))
    assert not [error.GetMessage() for error in errors]


def test_units_and_times(tmp_path: Path) -> None:
    opened = stage(takes.take(), tmp_path)
    assert UsdGeom.GetStageUpAxis(opened) == UsdGeom.Tokens.y
    assert UsdGeom.GetStageMetersPerUnit(opened) == 0.01
    assert opened.GetTimeCodesPerSecond() == pytest.approx(30000 / 1001, abs=1e-8)
    assert (opened.GetStartTimeCode(), opened.GetEndTimeCode()) == (0, takes.FRAMES - 1)
    told = opened.GetRootLayer().customLayerData
    assert told == {"person": 1, "timecode": "10:00:59:28.000", "dropFrame": True}


def test_weights(skeleton: Any) -> None:
    take = takes.take()
    animation = skeleton.GetAnimQuery()
    assert tuple(animation.GetBlendShapeOrder()) == ARKIT_NAMES
    for frame in range(takes.FRAMES):
        weights = np.array(animation.ComputeBlendShapeWeights(frame))
        np.testing.assert_allclose(weights, take.held(take.blendshapes)[frame], atol=1e-6)


@pytest.mark.parametrize(
    ("frame", "nose", "crown"),
    [
        (takes.REST, (0, 0, 1), (0, 1, 0)),
        (takes.NOD, (0, -0.34202, 0.93969), (0, 0.93969, 0.34202)),  # 20 degrees: the nose goes down
        (takes.TURN, (0.5, 0, 0.86603), (0, 1, 0)),  # 30 degrees: it goes to the figure's left
        (takes.TILT, (0, 0, 1), (-0.17365, 0.98481, 0)),  # 10 degrees: the crown goes to its right
    ],
)
def test_where_nose_and_crown_point(
    frame: int, nose: tuple[float, ...], crown: tuple[float, ...], skeleton: Any
) -> None:
    assert direction(skeleton, frame, HEAD, (0, 0, 1)) == pytest.approx(nose, abs=1e-5)
    assert direction(skeleton, frame, HEAD, (0, 1, 0)) == pytest.approx(crown, abs=1e-5)


def test_the_left_eye_looks_to_its_left_and_down(skeleton: Any) -> None:
    x, y, z = direction(skeleton, takes.GLANCE, LEFT_EYE, (0, 0, 1))
    assert np.degrees([np.arctan2(x, z), np.arcsin(-y)]) == pytest.approx([19.5, 14], abs=1e-3)


def test_a_varying_rate_has_parts_of_frames(tmp_path: Path) -> None:
    take = takes.take()
    varied = take.film.timestamps * 1.5
    opened = stage(replace(take, film=replace(take.film, timestamps=varied)), tmp_path)
    weights = UsdSkel.Animation.Get(opened, "/Take/Motion").GetBlendShapeWeightsAttr()
    assert weights.GetTimeSamples()[:3] == [0, 1.5, 3]
