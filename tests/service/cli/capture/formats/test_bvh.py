"""BVH by the package bvh, its rotations by scipy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.capture.formats import bvh
from service.cli.capture.take import Take
from service.cli.whole_file import WriteError
from tests.service.cli.capture.formats import takes

CHANNELS = ["Zrotation", "Yrotation", "Xrotation"]


def read(take: Take, folder: Path) -> Any:
    reader = pytest.importorskip("bvh", reason="the package bvh is not installed")
    bvh.write(take, folder / "take.bvh")
    return reader.Bvh((folder / "take.bvh").read_text(encoding="ascii"))


def degrees(told: Any, frame: int, joint: str) -> list[float]:
    return [float(value) for value in told.frame_joint_channels(frame, joint, CHANNELS)]


def head(told: Any, frame: int) -> Rotation:
    """The head's rotation in the world: those of all joints one after the other."""
    whole = Rotation.identity()
    for joint in ("Hips", "Spine", "Neck", "Head"):
        whole *= Rotation.from_euler("ZYX", degrees(told, frame, joint), degrees=True)
    return whole


def test_the_skeleton(tmp_path: Path) -> None:
    told = read(takes.take(), tmp_path)
    assert told.get_joints_names() == ["Hips", "Spine", "Neck", "Head"]
    assert told.joint_channels("Hips") == ["Xposition", "Yposition", "Zposition", *CHANNELS]
    assert told.joint_channels("Head") == CHANNELS
    assert told.joint_parent("Head").name == "Neck"
    assert told.nframes == takes.FRAMES
    assert told.frame_time == pytest.approx(1001 / 30000, abs=1e-9)
    for frame in range(takes.FRAMES):
        assert told.frame_joint_channels(frame, "Hips", told.joint_channels("Hips")) == [0, 95, 0, 0, 0, 0]


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
    frame: int, nose: tuple[float, ...], crown: tuple[float, ...], tmp_path: Path
) -> None:
    turned = head(read(takes.take(), tmp_path), frame)
    np.testing.assert_allclose(turned.apply([0, 0, 1]), nose, atol=1e-5)
    np.testing.assert_allclose(turned.apply([0, 1, 0]), crown, atol=1e-5)


def test_neck_and_head_add_up(tmp_path: Path) -> None:
    take = takes.take()
    told = read(take, tmp_path)
    assert degrees(told, takes.NOD, "Neck") == pytest.approx([0, 0, 8], abs=1e-4)
    assert degrees(told, takes.NOD, "Head") == pytest.approx([0, 0, 12], abs=1e-4)
    for frame in np.flatnonzero(take.known).tolist():
        apart = head(told, frame) * Rotation.from_quat(take.quaternion[frame]).inv()
        assert np.degrees(apart.magnitude()) < 1e-4


def test_an_unseen_frame_holds(tmp_path: Path) -> None:
    take = takes.take()
    seen = take.seen & (np.arange(takes.FRAMES) != takes.TILT)
    told = read(replace(take, seen=seen), tmp_path)
    assert degrees(told, takes.TILT, "Head") == degrees(told, takes.TURN, "Head")


def test_a_varying_rate_is_refused(tmp_path: Path) -> None:
    take = takes.take()
    varied = take.film.timestamps * np.linspace(1, 1.2, takes.FRAMES)
    with pytest.raises(WriteError, match=r"take\.bvh cannot be written: BVH has one frame rate"):
        bvh.write(replace(take, film=replace(take.film, timestamps=varied)), tmp_path / "take.bvh")
    assert not list(tmp_path.iterdir())
