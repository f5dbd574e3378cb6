"""The files of one take tell the same motion: weights within 1e-3, directions of the head within 1e-3 radians."""

import csv as rows_of_text
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.capture.formats import FORMATS
from service.vision.arkit import ARKIT_NAMES
from tests.service.cli.capture.formats import programs, takes

TOLERANCE = 1e-3
KNOWN = np.flatnonzero(takes.take().known)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("take")
    for format_ in FORMATS.values():
        format_.write(takes.take(), folder / f"take{format_.suffix}")
    return folder


@pytest.fixture(scope="module")
def archive(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "take.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, str]]:
    return list(rows_of_text.DictReader((folder / "take.csv").read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def shown(folder: Path, archive: dict[str, np.ndarray]) -> list[Any]:
    return list(programs.in_three(folder / "take.glb", *archive["timestamps"].tolist())["frames"])


def assert_same_heads(a: Rotation, b: Rotation) -> None:
    assert (a * b.inv()).magnitude().max() < TOLERANCE


def heads(archive: dict[str, np.ndarray]) -> Rotation:
    return Rotation.from_quat(archive["quaternion"][KNOWN])


def test_all_have_each_frame(archive: dict[str, np.ndarray], rows: list[dict[str, str]], folder: Path) -> None:
    assert len(rows) == len(archive["timestamps"]) == takes.FRAMES
    assert len((folder / "take.jsonl").read_text(encoding="utf-8").splitlines()) == takes.FRAMES
    assert f"Frames: {takes.FRAMES}\n" in (folder / "take.bvh").read_text(encoding="ascii")


def test_csv_and_npz(archive: dict[str, np.ndarray], rows: list[dict[str, str]]) -> None:
    names = [name[0].upper() + name[1:] for name in archive["blendshape_names"].tolist()]
    weights = np.array([[float(row[name]) for name in names] for row in rows])
    np.testing.assert_allclose(weights[KNOWN], archive["blendshapes"][KNOWN], atol=TOLERANCE)
    angles = np.array([[float(row[f"Head{angle}"]) for angle in ("Yaw", "Pitch", "Roll")] for row in rows])
    # About y, then x, then the nose; the app's pitch is up where a rotation about x is down.
    assert_same_heads(Rotation.from_euler("YXZ", angles[KNOWN] * [1, -1, 1]), heads(archive))


def test_glb_and_npz(archive: dict[str, np.ndarray], shown: list[Any]) -> None:
    for primitive in range(len(shown[0]["weights"])):
        weights = np.array([[frame["weights"][primitive][name] for name in ARKIT_NAMES] for frame in shown])
        np.testing.assert_allclose(weights[KNOWN], archive["blendshapes"][KNOWN], atol=TOLERANCE)
    assert_same_heads(Rotation.from_quat(np.array([frame["head"] for frame in shown])[KNOWN]), heads(archive))


def test_glb_and_csv_in_the_eyes(rows: list[dict[str, str]], shown: list[Any]) -> None:
    for place, side in enumerate(("Left", "Right")):
        angles = np.array([[float(row[f"{side}Eye{angle}"]) for angle in ("Yaw", "Pitch")] for row in rows])
        eyes = Rotation.from_quat(np.array([frame["eyes"][place] for frame in shown]))
        # The app's yaw of an eye is to the person's right, a rotation about y to its left.
        assert_same_heads(Rotation.from_euler("YX", angles * [-1, 1]), eyes)


def test_bvh_and_npz(archive: dict[str, np.ndarray], folder: Path) -> None:
    motion = (folder / "take.bvh").read_text(encoding="ascii").partition("Frame Time:")[2].splitlines()[1:]
    channels = np.array([line.split() for line in motion], float)
    neck, head = (Rotation.from_euler("ZYX", channels[KNOWN, at : at + 3], degrees=True) for at in (9, 12))
    assert_same_heads(neck * head, heads(archive))
