"""The single face network labels nothing when a set's labels are of other pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from training.data.faces import FaceLabels
from training.labels import pseudo_labels


def test_labels_of_another_pack_leave_older_answers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first set is right, the second one is not: neither is written."""
    for name, picture in (("groups", 0), ("detected", 1)):
        np.save(tmp_path / f"{name}.npy", np.zeros((1, 432, 432, 3), np.uint8))
        np.save(tmp_path / f"{name}.sizes.npy", np.full((1, 2), 432, np.float32))
        np.save(tmp_path / f"{name}.names.npy", np.array(["a/1"]))
        labels = FaceLabels.of_boxes(np.array([picture]), np.array([[10.0, 10, 60, 60]]), np.zeros(1))
        labels.save(tmp_path / f"{name}.npz")
        (tmp_path / f"{name}.sfn.npz").write_bytes(b"earlier")
    monkeypatch.setattr(pseudo_labels.Labeller, "load", lambda _: None)
    folders = ["--pack", str(tmp_path), "--labels", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["pseudo_labels", *folders, "--sets", "groups", "detected"])
    with pytest.raises(SystemExit, match=r"detected\.npz has a face in picture 1, but only 1 pictures"):
        pseudo_labels.main()
    assert (tmp_path / "groups.sfn.npz").read_bytes() == b"earlier"
