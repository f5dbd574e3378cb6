"""How a character's parts become primitives."""

import numpy as np

from studio.modelling.character import add_targets
from studio.modelling.gltf import Document


def test_targets_that_move_nothing_share_what_says_so() -> None:
    document = Document({})
    offsets, turned = np.zeros((3, 5, 3)), np.zeros((3, 5, 3))
    offsets[1, 4] = [0, 1, 0]  # cm, of which 655 steps of a file are the nearest
    first, second, third = add_targets(document, offsets, turned)
    assert first == third
    told = [document.json["accessors"][target["POSITION"]] for target in (first, second)]
    assert [accessor["sparse"]["count"] for accessor in told] == [1, 1]
    assert [accessor["max"][1] for accessor in told] == [0, 655 / 2**16]
