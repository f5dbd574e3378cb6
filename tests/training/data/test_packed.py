"""Labels must be of the pictures that are packed."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.data.sources import Source, read_sources, save_with_sources


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Two pictures, 4 x 3 and 2 x 5 pixels, as set "some"."""
    np.save(tmp_path / "some.npy", np.arange(2 * 6 * 6 * 3, dtype=np.uint8).reshape(2, 6, 6, 3))
    np.save(tmp_path / "some.sizes.npy", np.array([[4, 3], [2, 5]], np.float32))
    np.save(tmp_path / "some.names.npy", np.array(["a/1", "b/2"]))
    return tmp_path


def labels(picture: list[int]) -> FaceLabels:
    return FaceLabels.of_boxes(np.array(picture), np.tile([0.0, 0, 2, 2], (len(picture), 1)), np.zeros(len(picture)))


def test_a_picture_is_cut_out_of_its_square(pack: Path) -> None:
    packed = Packed.load(pack, "some")
    np.testing.assert_array_equal(packed.pixels(1), packed.images[1, :5, :2])


def test_labels_of_the_packed_pictures_are_read(pack: Path) -> None:
    labels([0, 1, 1]).save(pack / "labels.npz")
    assert Packed.load(pack, "some").labels(pack / "labels.npz").picture.tolist() == [0, 1, 1]


def test_a_face_beyond_the_pack_is_told(pack: Path) -> None:
    labels([0, 2]).save(pack / "labels.npz")
    with pytest.raises(SystemExit, match=r"labels\.npz has a face in picture 2, but only 2 pictures are packed"):
        Packed.load(pack, "some").labels(pack / "labels.npz")


def test_labels_of_an_older_version_are_told(pack: Path) -> None:
    arrays = {name: value.numpy() for name, value in vars(labels([0])).items() if name != "gaze"}
    np.savez(pack / "labels.npz", **arrays)
    with pytest.raises(SystemExit, match=r"labels\.npz holds no gaze: an older version's"):
        Packed.load(pack, "some").labels(pack / "labels.npz")
    with pytest.raises(SystemExit, match="holds no gaze"):
        FaceLabels.load(pack / "labels.npz")


@pytest.mark.parametrize("missing", ["some.npy", "some.sizes.npy", "some.names.npy"])
def test_a_missing_file_of_the_pack_is_named(missing: str, pack: Path) -> None:
    (pack / missing).unlink()
    with pytest.raises(SystemExit, match=rf"{missing} is missing; run python -m training\.data\.pack"):
        Packed.load(pack, "some")


def test_a_half_packed_set_is_told(pack: Path) -> None:
    np.save(pack / "some.names.npy", np.array(["a/1"]))
    with pytest.raises(SystemExit, match="2 pictures, beside it lie 2 sizes and 1 names"):
        Packed.load(pack, "some")


def test_missing_labels_are_named(pack: Path) -> None:
    with pytest.raises(SystemExit, match=r"labels\.npz is missing"):
        Packed.load(pack, "some").labels(pack / "labels.npz")


def test_sources_lie_in_the_file_of_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "some.combined.npz"
    source = np.array([Source.SFN, Source.NOBODY], np.uint8)
    save_with_sources(labels([0, 1]), source, path)
    assert read_sources(path).tolist() == [3, 0]
    assert FaceLabels.load(path).picture.tolist() == [0, 1]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_labels_that_were_not_combined_have_no_sources(tmp_path: Path) -> None:
    labels([0]).save(tmp_path / "some.npz")
    with pytest.raises(SystemExit, match=r"some\.npz holds no source"):
        read_sources(tmp_path / "some.npz")
