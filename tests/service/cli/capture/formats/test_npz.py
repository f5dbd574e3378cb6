"""NumPy's archive, read by NumPy alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from service.cli.capture.formats import npz
from service.cli.capture.take import Take
from tests.service.cli.capture.formats import takes


def read(take: Take, folder: Path) -> dict[str, np.ndarray]:
    npz.write(take, folder / "take.npz")
    with np.load(folder / "take.npz", allow_pickle=False) as archive:
        return dict(archive)


def test_arrays_come_back(tmp_path: Path) -> None:
    take = takes.take()
    told = read(take, tmp_path)
    for name in ("seen", "bridged", "box", "quaternion", "translation", "scale", "expression", "blendshapes", "gaze"):
        np.testing.assert_array_equal(told[name], getattr(take, name), err_msg=name)
    np.testing.assert_array_equal(told["timestamps"], take.film.timestamps)
    assert told["frame_rate"].tolist() == [30000, 1001]
    assert (int(told["first_frame"]), bool(told["drop_frame"])) == (take.film.timecode.first, True)
    assert told["blendshape_names"][told["blendshapes"][takes.JAW].argmax()] == "jawOpen"
    assert told["expression_names"][told["expression"][takes.BLINK].argmax()] == "eyeBlink_L"
    assert told["gaze_names"][told["gaze"][takes.GLANCE].argmax()] == "eyeLookInRight"


def test_every_array_is_described(tmp_path: Path) -> None:
    told = read(takes.take(), tmp_path)
    described = dict(told["units"].tolist())
    assert described.keys() | {"units"} == told.keys()
    for name, text in described.items():
        sides = text[1 : text.index(")")].replace("N", str(takes.FRAMES)).split(",")
        assert told[name].shape == tuple(int(side) for side in sides if side), name


def test_what_is_not_known_is_nan(tmp_path: Path) -> None:
    told = read(takes.take(), tmp_path)
    assert np.isnan(told["blendshapes"][takes.UNSEEN]).all()
    assert np.isnan(told["neutral"]).all()
    neutral = np.linspace(0, 0.3, 46, dtype=np.float32)
    np.testing.assert_array_equal(read(replace(takes.take(), neutral=neutral), tmp_path)["neutral"], neutral)


def test_the_same_take_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        npz.write(takes.take(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
