"""Archives that are written here, packed."""

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")
pytest.importorskip("torch")

from training.data import pack
from training.data.faces import FaceLabels
from training.data.packed import Packed


def write_archive(path: Path, pictures: dict[str, tuple[tuple[int, int], dict[str, Any]]]) -> None:
    """One plain red picture a name, of (width, height) and with further annotation."""
    lines = []
    with tarfile.open(path, "w") as tar:
        files = {}
        for name, (size, annotation) in pictures.items():
            encoded = io.BytesIO()
            Image.new("RGB", size, (200, 10, 10)).save(encoded, "PNG")
            files[name] = encoded.getvalue()
            lines.append(json.dumps({"image": name, "size": size, **annotation}))
        files["annotations.jsonl"] = "\n".join(lines).encode()
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def test_only_asked_archives_are_packed_and_boxes_shrink_with_their_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = [[100, 100, 300, 300], [10, 10, 60, 60], [400, 400, 412, 430]]
    crowd = [[1, 1, 50, 50]] * 21
    write_archive(
        tmp_path / "multi_train_3.tar",
        {
            "crowd.png": ((100, 100), {"boxes": crowd, "invalid": [0] * 21}),
            "some.png": ((864, 432), {"boxes": boxes, "invalid": [0, 1, 0]}),
        },
    )
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "pack"), "--archives", "multi_train_3"]
    monkeypatch.setattr(sys, "argv", ["pack", *arguments])
    pack.main()
    packed = Packed.load(tmp_path / "pack", "detected")
    assert packed.names.tolist() == ["multi_train_3/some.png"]
    assert packed.sizes.tolist() == [[432, 216]]
    assert packed.images.shape == (1, 432, 432, 3)
    assert packed.pixels(0)[-1, -1].tolist() == [200, 10, 10]
    assert packed.images[0, 216:].max() == packed.images[0, 216:].min() == pack.PAD
    labels = packed.labels(tmp_path / "pack/detected.boxes.npz")
    np.testing.assert_array_equal(labels.box, np.array(boxes) / 2)
    assert labels.ignored.tolist() == [0, 1, 1]  # the second may be no face, the third is under 2 % of the width
    assert isinstance(labels, FaceLabels)
    assert not (tmp_path / "pack/groups.npy").exists()
