"""Measured costs of the two networks, and whether following is cheaper than detecting in every frame."""

from collections import deque
from statistics import median
from typing import Final

WINDOW: Final = 15  # measurements in a running median, which a few outliers do not change
# Fraction by which the other choice must be cheaper before it is taken (hysteresis): the networks' estimates differ a
# little, and a face should not flicker between them.
MIN_SAVING: Final = 0.15


class Costs:
    """Running medians of milliseconds: of a detection in a frame, and of the refinement of one face."""

    def __init__(self) -> None:
        self._detections: deque[float] = deque(maxlen=WINDOW)
        self._refinements: deque[float] = deque(maxlen=WINDOW)  # of one face
        self._following = True  # until both costs are known

    def add_detection(self, milliseconds: float) -> None:
        """Adds the time that a detection took."""
        self._detections.append(milliseconds)

    def add_refinement(self, milliseconds: float, faces: int) -> None:
        """Adds the time that the refinement of `faces` faces took together."""
        if faces:
            self._refinements.append(milliseconds / faces)

    def following_pays(self, faces: int, detect_every: int) -> bool:
        """Whether following `faces` faces with a detection every detect_every frames is cheaper than detecting always.

        With r for the refinement of a face and d for a detection, a frame costs faces * r + d / detect_every or d.
        """
        if self._detections and self._refinements:
            follow, saved = faces * median(self._refinements), median(self._detections) * (1 - 1 / detect_every)
            self._following = follow < saved * (1 + MIN_SAVING if self._following else 1 - MIN_SAVING)
        return self._following
