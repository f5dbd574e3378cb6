"""The published test vectors are what the decoder gives now, and hold what their cases are for."""

import re
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest

from service.vision.decoding import MAX_CANDIDATES
from training.scripts.vector_cases import Case, cases
from training.scripts.vectors import MODELS, SEED, decoded, landmarks_bytes, read_published, vectors

ROOT = Path(__file__).resolve().parents[3]


def table() -> dict[str, Case]:
    return {case.name: case for case in cases(np.random.default_rng(SEED), read_published(ROOT / MODELS))}


def tokens(text: str) -> list[str]:
    return [token for line in text.splitlines() for token in line.split("#")[0].split()]


def alike(a: str, b: str) -> bool:
    """Whether two tokens are the same word or whole number, or numbers that differ by rounding."""
    if a == b or not re.search(r"[.e]", a + b):
        return a == b
    return bool(np.isclose(float(a), float(b), rtol=1e-5, atol=1e-5))


def test_vectors_are_what_the_decoder_gives_now(mobile: Path) -> None:
    published = tokens((mobile / "vectors.txt").read_text(encoding="ascii"))
    now = tokens(vectors(ROOT / MODELS))
    differ = [pair for pair in zip_longest(published, now, fillvalue="") if not alike(*pair)]
    assert not differ, "run `python -m training.scripts.vectors`"


def test_landmarks_are_those_of_the_face_model(mobile: Path) -> None:
    assert (mobile / "landmarks.bin").read_bytes() == landmarks_bytes(ROOT / MODELS), (
        "run `python -m training.scripts.vectors`"
    )
    rows = np.frombuffer((mobile / "landmarks.bin").read_bytes(), "<f4").reshape(1 + 50 + 46, 68, 3)
    with np.load(ROOT / MODELS / "face_model.npz") as face_model:
        np.testing.assert_array_equal(rows[51], face_model["landmarks_expression"][0])


def test_the_files_stay_small(mobile: Path) -> None:
    assert (mobile / "vectors.txt").stat().st_size < 300_000
    assert (mobile / "landmarks.bin").stat().st_size < 100_000


FACES = {
    "nothing": 0,
    "witnesses-alone": 0,
    "one": 1,
    "suppressed-and-merged": 2,
    "ties": 5,
    "merged-ties": 2,
    "most-faces": 4,
    "past-the-edge": 2,
    "score-at-threshold": 2,  # of raw scores -1, 0 and 1, at 0.5
    "overlap-at-threshold": 2,
    "overlap-over-threshold": 1,
    "negative-w": 2,
    "opposed-quaternions": 1,
    "clamped": 2,  # the third is 4 pixels high
    "sure": 1,
    "portrait": 2,
    "enlarged": 1,  # the other is 4 of the picture's pixels high
    "crowd": 3,
    "published": 4,
}


@pytest.mark.parametrize("name", FACES)
def test_each_case_gives_the_faces_it_was_made_for(name: str) -> None:
    assert len(decoded(table()[name])[2]) == FACES[name]


def test_no_case_is_left_out() -> None:
    assert list(table()) == list(FACES)


def test_the_crowd_is_cut() -> None:
    candidates, member, _ = decoded(table()["crowd"])
    assert len(candidates) == len(member) == MAX_CANDIDATES


def test_the_edges_are_passed() -> None:
    case = table()["past-the-edge"]
    boxes = decoded(case)[2].box
    assert boxes[:, :2].min() < 0
    assert boxes[:, 2].max() > case.width
    assert boxes[:, 3].max() > case.height


def test_clamps_are_reached() -> None:
    faces = decoded(table()["clamped"])[2]  # of priors of 14 and 48 pixels; the picture's pixels are a tenth of those
    np.testing.assert_allclose(np.ptp(faces.box.reshape(2, 2, 2), axis=1)[0], 140 * np.exp(4), rtol=1e-5)
    np.testing.assert_allclose(np.ptp(faces.box.reshape(2, 2, 2), axis=1)[1], 480 * np.exp(-4), rtol=1e-5)
    np.testing.assert_allclose(faces.scale, [140 * np.exp(4) / 20, 480 * np.exp(-4) / 20], rtol=1e-5)
    assert (np.abs(faces.expression - 0.5) > 0.4999).mean() > 0.5  # so far in the sigmoid that float32 ends there


def test_some_quaternions_are_turned_to_positive_w_and_one_has_no_length() -> None:
    rows = table()["negative-w"].rows.values()
    raw = np.array([row[5:9] for row in rows]) / 512 + [0, 0, 0, 1]
    assert (raw[:, 3] < 0).any()
    assert (np.abs(raw).sum(axis=1) == 0).any()
    assert (decoded(table()["negative-w"])[2].quaternion[:, 3] >= 0).all()


def test_opposed_quaternions_do_not_cancel() -> None:
    quaternion = decoded(table()["opposed-quaternions"])[2].quaternion[0]
    assert abs(quaternion[0]) > 0.99  # both turn about x by almost 180 degrees, one this way, one that way


def test_what_is_written_down_is_what_is_published(mobile: Path) -> None:
    published = read_published(ROOT / MODELS)
    text = (mobile / "README.md").read_text()
    detector = (mobile / "kotlin/mfn/Detector.kt").read_text()
    assert f"INPUT_SIDE = {published.side}\n" in detector
    for level in published.levels:
        ((width, height),) = [[f"{side:g}" for side in anchor] for anchor in level.anchors]
        assert f"Level({level.stride}, listOf(Anchor({width}f, {height}f)))" in detector
        assert f"{{{level.stride}, {{{{{width}, {height}}}}}}}" in text
    assert f"CROP_FACTOR = {published.crop_factor}" in (mobile / "kotlin/mfn/Refine.kt").read_text()
    assert f"CROP_FACTOR = {published.crop_factor}F" in (mobile / "cpp/mfn/refine.hpp").read_text()
