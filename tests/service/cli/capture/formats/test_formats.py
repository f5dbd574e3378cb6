"""Every format takes every take."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from service.cli.capture.blocks import blocks
from service.cli.capture.formats import FORMATS
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
