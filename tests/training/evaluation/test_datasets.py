"""Each reader on a tiny copy of its data set's layout, made here."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from training.evaluation.datasets import DATA_SETS, aflw2000, afw, archives, fddb, lfw, points, videos, wider
from training.evaluation.datasets.fddb import ellipse_boxes


def save_picture(path: Path, size: tuple[int, int] = (40, 30), colour: tuple[int, int, int] = (250, 120, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def face_points(shift: float = 0.0) -> np.ndarray:
    return np.arange(136, dtype=np.float64).reshape(68, 2) / 4 + shift


def save_points(path: Path, landmarks: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in landmarks)
    path.write_text(f"version: 1\nn_points:  {len(landmarks)}\n{{\n{rows}\n}}\n")


def save_archive(path: Path, annotations: list[dict[str, object]]) -> None:
    with tarfile.open(path, "w") as tar:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

        for annotation in annotations:
            picture = io.BytesIO()
            Image.new("RGB", (40, 30), (0, 0, 255)).save(picture, "WEBP", lossless=True)
            add(str(annotation["image"]), picture.getvalue())
        add("annotations.jsonl", "\n".join(json.dumps(a) for a in annotations).encode())


def test_archives(tmp_path: Path) -> None:
    save_archive(
        tmp_path / "some.tar",
        [
            {"image": "a/1.webp", "size": [40, 30], "boxes": [[1, 2, 11, 12], [3, 4, 5, 6]], "invalid": [0, 1]},
            {"image": "a/2.webp", "size": [40, 30], "boxes": []},
            {"image": "b/3.webp", "size": [40, 30], "landmarks68": [face_points().tolist()]},
            {"image": "c/4.webp", "size": [40, 30], "clip": "d3", "time_s": 0.5},
        ],
    )
    boxes, empty, landmarks, clip = archives.read(tmp_path / "some.tar")
    assert boxes.name == "a/1.webp"
    np.testing.assert_array_equal(boxes.boxes, [[1, 2, 11, 12], [3, 4, 5, 6]])
    np.testing.assert_array_equal(boxes.ignored, [False, True])
    np.testing.assert_array_equal(boxes.read()[0, 0], [0, 0, 255])
    assert empty.boxes is not None
    assert empty.boxes.shape == (0, 4)
    assert landmarks.boxes is None
    assert landmarks.landmarks is not None
    np.testing.assert_allclose(landmarks.landmarks, face_points()[None])
    assert (clip.group, clip.boxes, clip.landmarks) == ("d3", None, None)
    assert [sample.name for sample in archives.read_every_second(tmp_path / "some.tar")] == ["a/1.webp", "b/3.webp"]


def test_fddb(tmp_path: Path) -> None:
    folds = tmp_path / "FDDB-folds"
    folds.mkdir()
    (folds / "FDDB-fold-02-ellipseList.txt").write_text("2002/b\n1\n9 6 0 20 15 1\n")
    (folds / "FDDB-fold-01-ellipseList.txt").write_text(
        "2002/a\n2\n9 6 1.570796327 20 15  1\n4 3 0.0 8 9  1\n2002/c\n0\n"
    )
    (folds / "FDDB-fold-01.txt").write_text("2002/a\n2002/c\n")
    for name in "abc":
        save_picture(tmp_path / "originalPics" / "2002" / f"{name}.jpg")
    first, none, second = fddb.read(tmp_path)
    assert [first.name, none.name, second.name] == ["2002/a", "2002/c", "2002/b"]
    assert first.boxes is not None
    np.testing.assert_allclose(first.boxes, [[14, 6, 26, 24], [4, 6, 12, 12]], atol=1e-6)
    assert none.boxes is not None
    assert none.boxes.shape == (0, 4)
    assert second.read().shape == (30, 40, 3)


def test_box_of_an_ellipse_touches_it() -> None:
    ellipses = np.array([[9.0, 5, 0.7, 20, 15], [9, 5, -0.7, 20, 15], [7, 7, 1.1, 3, 4]])
    t = np.linspace(0, 2 * np.pi, 10_001)
    for (a, b, angle, x, y), box in zip(ellipses, ellipse_boxes(ellipses), strict=True):
        u = x + a * np.cos(t) * np.cos(angle) - b * np.sin(t) * np.sin(angle)
        v = y + a * np.cos(t) * np.sin(angle) + b * np.sin(t) * np.cos(angle)
        np.testing.assert_allclose(box, [u.min(), v.min(), u.max(), v.max()], atol=1e-5)


def test_wider(tmp_path: Path) -> None:
    split = tmp_path / "wider_face_split"
    split.mkdir()
    (split / "wider_face_val_bbx_gt.txt").write_text(
        "0--Parade/a.jpg\n3\n10 20 5 6 0 0 0 0 0 0 \n1 2 0 4 0 0 0 0 0 0 \n3 4 7 8 2 0 1 1 2 1 \n"
        "1--Handshaking/none.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"
        "1--Handshaking/b.jpg\n1\n8 9 10 11 0 0 0 0 0 0 \n"
    )
    for name in ("0--Parade/a.jpg", "1--Handshaking/none.jpg", "1--Handshaking/b.jpg"):
        save_picture(tmp_path / "WIDER_val" / "images" / name)
    a, none, b = wider.read(tmp_path)
    np.testing.assert_array_equal(a.boxes, [[10, 20, 15, 26], [1, 2, 1, 6], [3, 4, 10, 12]])
    np.testing.assert_array_equal(a.ignored, [False, True, True])  # no width; marked invalid
    assert none.boxes is not None
    assert none.boxes.shape == (0, 4)
    np.testing.assert_array_equal(b.boxes, [[8, 9, 18, 20]])
    assert b.read().shape == (30, 40, 3)


def test_points_of_300w(tmp_path: Path) -> None:
    save_points(tmp_path / "testset" / "b_1.pts", face_points(1))
    save_points(tmp_path / "testset" / "a.pts", face_points())
    save_picture(tmp_path / "testset" / "b_1.png")
    save_picture(tmp_path / "testset" / "a.jpg")
    a, b = points.read(tmp_path)
    assert (a.name, b.name) == ("testset/a", "testset/b_1")
    assert b.landmarks is not None
    np.testing.assert_allclose(b.landmarks, face_points(1)[None])
    np.testing.assert_array_equal(b.read()[0, 0], [250, 120, 10])


def test_points_without_picture_or_of_other_number(tmp_path: Path) -> None:
    save_points(tmp_path / "a.pts", face_points())
    with pytest.raises(FileNotFoundError, match="no picture lies beside"):
        list(points.read(tmp_path))
    save_points(tmp_path / "a.pts", face_points()[:51])
    with pytest.raises(ValueError, match="holds 51 points; expected 68"):
        points.read_points(tmp_path / "a.pts")


def test_afw(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    save_picture(tmp_path / "testimages" / "1.jpg")
    save_picture(tmp_path / "testimages" / "22.jpg")
    boxes = {"1.jpg": [[1, 2, 11, 12], [5, 6, 7, 9]], "22.jpg": [[3, 4, 13, 15]]}
    with h5py.File(tmp_path / "testimages" / "anno.mat", "w") as file:
        # MATLAB 7.3 keeps every array transposed, and the elements of a cell array as references.
        anno = file.create_dataset("anno", (4, 2), h5py.ref_dtype)
        for column, (name, of_picture) in enumerate(boxes.items()):
            file[f"name{column}"] = np.array([[ord(letter)] for letter in name], np.uint16)
            anno[0, column] = file[f"name{column}"].ref
            cell = file.create_dataset(f"cell{column}", (len(of_picture), 1), h5py.ref_dtype)
            for row, (x1, y1, x2, y2) in enumerate(of_picture):
                file[f"box{column}{row}"] = np.array([[x1, y1], [x2, y2]], np.float64).T
                cell[row, 0] = file[f"box{column}{row}"].ref
            anno[1, column] = cell.ref
    first, second = afw.read(tmp_path)
    assert (first.name, second.name) == ("1.jpg", "22.jpg")
    np.testing.assert_array_equal(first.boxes, boxes["1.jpg"])
    np.testing.assert_array_equal(second.boxes, boxes["22.jpg"])
    assert second.read().shape == (30, 40, 3)


def test_aflw2000(tmp_path: Path) -> None:
    save_picture(tmp_path / "image00002.jpg")
    pose = np.array([[-0.4, np.radians(-75), 0.1, 200, 200, 0, 0.001]], np.float32)
    landmarks = np.concatenate([face_points().T, np.full((1, 68), 7.0)])
    savemat(tmp_path / "image00002.mat", {"pt3d_68": landmarks.astype(np.float32), "Pose_Para": pose, "roi": [[1, 2]]})
    savemat(tmp_path / "Model.mat", {"w": [[1.0]]})  # no picture of that name
    (sample,) = aflw2000.read(tmp_path)
    assert sample.name == "image00002"
    assert sample.landmarks is not None
    assert sample.yaw is not None
    np.testing.assert_allclose(sample.landmarks, face_points()[None])
    np.testing.assert_allclose(sample.yaw, [-75], rtol=1e-5)
    assert sample.read().shape == (30, 40, 3)


def test_lfw(tmp_path: Path) -> None:
    for name in ("Bo/Bo_0001.jpg", "Al/Al_0002.jpg", "Al/Al_0001.jpg"):
        save_picture(tmp_path / name)
    samples = list(lfw.read(tmp_path))
    assert [(s.name, s.group) for s in samples] == [("Al_0001", "Al"), ("Al_0002", "Al"), ("Bo_0001", "Bo")]
    assert samples[0].boxes is samples[0].landmarks is None


def test_videos_of_300vw(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "410"  # a video of the third scenario
    for frame in (1, 2, 3, 5):
        save_points(folder / "annot" / f"{frame:06d}.pts", face_points(frame))
    writer = cv2.VideoWriter(str(folder / "vid.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for brightness in (0, 50, 100, 150, 200):
        writer.write(np.full((48, 64, 3), brightness, np.uint8))
    writer.release()
    samples = list(videos.read_video(folder, "scenario 3", every=2))
    assert [s.name for s in samples] == ["410/000001", "410/000003", "410/000005"]
    assert samples[1].landmarks is not None
    np.testing.assert_allclose(samples[1].landmarks, face_points(3)[None])
    np.testing.assert_allclose(samples[1].read().mean(), 100, atol=3)
    (first,) = videos.read(tmp_path)
    assert (first.name, first.group) == ("410/000001", "scenario 3")


def test_test_set_of_300vw_has_64_videos() -> None:
    names = " ".join(videos.SCENARIOS.values()).split()
    assert len(names) == len(set(names)) == 64


@pytest.mark.parametrize("name", sorted(set(DATA_SETS) - {"afw"}))
def test_what_is_missing_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is not there; expected"):
        list(DATA_SETS[name].read(tmp_path / "nowhere"))
