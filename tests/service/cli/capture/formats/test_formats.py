"""Every format takes every take."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from service.cli.capture.blocks import blocks
from service.cli.capture.formats import FORMATS
from service.cli.capture.formats.joints import rotations
from service.cli.capture.take import Take
from tests.service.cli.capture.formats import takes


def some_frames(take: Take, frames: list[int]) -> Take:
    """A take of some of its frames, at the film's rate."""
    film = replace(take.film, timestamps=take.film.timestamps[: len(frames)])
    names = (
        "seen", "bridged", "score", "box", "quaternion", "translation", "scale", "expression", "blendshapes", "gaze",
    )  # fmt: skip
    return replace(take, film=film, **{name: getattr(take, name)[frames] for name in names})


def test_suffixes_differ() -> None:
    assert len({format_.suffix for format_ in FORMATS.values()}) == len(FORMATS)
    assert all(format_.suffix.startswith(".") for format_ in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
def test_a_take_of_one_frame(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"take{FORMATS[name].suffix}"
    FORMATS[name].write(some_frames(takes.take(), [takes.JAW]), path)
    assert path.stat().st_size > 0


@pytest.mark.parametrize("name", ["csv", "glb", "bvh", "usda"])
def test_a_person_who_comes_late_has_values_from_the_start(name: str, tmp_path: Path) -> None:
    late, early = tmp_path / "late", tmp_path / "early"
    FORMATS[name].write(some_frames(takes.take(), [takes.UNSEEN, takes.TURN]), late)
    FORMATS[name].write(some_frames(takes.take(), [takes.TURN, takes.TURN]), early)
    assert late.read_bytes() == early.read_bytes()


@pytest.mark.parametrize("name", ["csv", "glb", "bvh", "jsonl", "usda"])
def test_blocks_of_frames_do_not_show(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FORMATS[name].write(takes.take(), tmp_path / "at once")
    monkeypatch.setattr(f"{FORMATS[name].write.__module__}.blocks", partial(blocks, size=3))
    FORMATS[name].write(takes.take(), tmp_path / "in blocks")
    assert (tmp_path / "in blocks").read_bytes() == (tmp_path / "at once").read_bytes()


def test_the_sign_of_a_quaternion_does_not_matter(tmp_path: Path) -> None:
    """q and -q are one rotation: the neck does not take its share of the long way round."""
    take = takes.take()
    for name, quaternion in (("a", take.quaternion), ("b", -take.quaternion)):
        FORMATS["bvh"].write(replace(take, quaternion=quaternion), tmp_path / name)
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


def test_the_neck_of_someone_upside_down_does_not_turn_about() -> None:
    """Back and forth across half a turn; and at rest again after a whole turn, the neck is at rest."""
    roll = np.concatenate([170 + 20 * np.sin(np.arange(60)), np.arange(190, 361, 10), [0, 0]])
    half = np.radians(roll)[:, None] / 2
    quaternion = np.concatenate([np.sin(half) * (0, 0, 1), np.cos(half)], axis=1).astype(np.float32)
    frames = len(roll)
    take = replace(takes.take(), quaternion=quaternion, seen=np.ones(frames, bool), bridged=np.zeros(frames, bool),
                   blendshapes=np.zeros((frames, 52), np.float32))  # fmt: skip
    neck = 2 * np.degrees(np.arctan2(*rotations(take)["neck"][:, 2:].T))
    np.testing.assert_allclose(neck[:60], 0.4 * roll[:60], atol=1e-3)
    np.testing.assert_allclose(neck[-3:], 0, atol=1e-3)
