"""The order of the steps: each finds what it reads."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from training.data.archives import ARCHIVES, SETS
from training.labels.__main__ import steps


def test_steps_run_after_what_they_read() -> None:
    names = [step[0].rsplit(".", 1)[1] for step in steps(list(ARCHIVES), Path("models"))]
    order = ["pack", "teacher", "assemble", "second_teacher", "pseudo_labels", "combine", "contact_sheet", "crops"]
    assert list(dict.fromkeys(names)) == order
    assert names.count("crops") == len(SETS)
    assert names.count("contact_sheet") == 2 * len(SETS)


def test_only_asked_archives_are_labelled_and_only_their_sets() -> None:
    by_name = {step[0].rsplit(".", 1)[1]: step[1:] for step in steps(["multi_train_3"], Path("other"))}
    assert by_name["pack"] == ["--archives", "multi_train_3"]
    assert by_name["teacher"] == ["multi_train_3", "landmarks_val"]
    assert by_name["assemble"] == ["--only", "detected", "val", "--archives", "multi_train_3"]
    assert by_name["pseudo_labels"] == ["--sets", "detected", "--models", "other"]
    assert by_name["crops"] == ["--set", "detected"]
