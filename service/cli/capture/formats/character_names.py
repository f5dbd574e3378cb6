"""What the morph targets and nodes of a character stand for, by their names as modelling programs write them.

The rules are those of Studio's stage, which takes the same files.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from service.vision.arkit import ARKIT_NAMES

WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
BY_LETTERS: Final = {name.lower(): place for place, name in enumerate(ARKIT_NAMES)}
LONGEST: Final = max(map(len, ARKIT_NAMES))  # letters of a name, and words at the most
SIDES: Final = {"l": "left", "r": "right"}
OF_ANY_JOINT: Final = re.compile(r"[0-9]+|jnt|joint|bone")  # words that do not tell which one it is


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: mixamorig, left, eye of "mixamorig:LeftEye"."""
    return [word.lower() for word in WORDS.findall(name)]


def shapes_of(targets: Sequence[str]) -> list[int | None]:
    """The place in ARKIT_NAMES of the blendshape that each of a mesh's targets is; None where it is none.

    Where a target has ARKit's own spelling, others that are spelt otherwise do not double it.
    """
    shapes = [shape_of(target) for target in targets]
    return [
        None if shape is not None and target != ARKIT_NAMES[shape] and ARKIT_NAMES[shape] in targets else shape
        for target, shape in zip(targets, shapes, strict=True)
    ]


def shape_of(target: str) -> int | None:
    """The place in ARKIT_NAMES of the blendshape that a target is, whatever its case, separators and the words before.

    L and R are left and right: "Head.eye_blink_L" is eyeBlinkLeft. A half of what ARKit has whole, as browInnerUp_L, is
    the whole. What joins two names, as jawOpen_mouthFunnel, corrects their sum and is neither.
    """
    words = [SIDES.get(word, word) for word in words_of(target)]
    found = _shape_at_end(words)
    if found is None and words and words[-1] in SIDES.values():
        found = _shape_at_end(words[:-1])
    if found is None or _shape_at_end(words[: found[1]]) is not None:
        return None
    return found[0]


def _shape_at_end(words: Sequence[str]) -> tuple[int, int] | None:
    """The blendshape whose name words end with, and the place of its first word."""
    for first in range(max(0, len(words) - LONGEST), len(words)):
        shape = BY_LETTERS.get("".join(words[first:]))
        if shape is not None:
            return shape, first
    return None


def _is_eye(side: str) -> Callable[[Sequence[str]], bool]:
    return lambda words: "eye" in words and bool({side, side[0]} & set(words[-2:]))


# The joints that a face turns: whether words of a node's name are of it.
JOINTS: Final[dict[str, Callable[[Sequence[str]], bool]]] = {
    "neck": lambda words: words[-1:] == ["neck"],
    "head": lambda words: words[-1:] == ["head"],
    "eye_left": _is_eye("left"),
    "eye_right": _is_eye("right"),
}


def is_joint(joint: str, name: str) -> bool:
    """Whether a node of a name is one of JOINTS, as mixamorigHead and head_jnt are `head`."""
    return JOINTS[joint]([word for word in words_of(name) if not OF_ANY_JOINT.fullmatch(word)])
