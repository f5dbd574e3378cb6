"""What the two networks cost here and now, and which way through a stream is the cheaper one."""

from collections import deque
from statistics import median
from typing import Final

KEPT: Final = 15  # measurements that the median is of: a few hiccups of the machine do not sway it
# A way is left when the other one costs this much less: the networks differ a little in what they see, and a face
# should not flicker between them.
ADVANTAGE: Final = 0.15


class Costs:
    """Running medians of milliseconds: of a search with the Multiple Face Network, of a face with the Single one."""

    def __init__(self) -> None:
        self._search: deque[float] = deque(maxlen=KEPT)
        self._face: deque[float] = deque(maxlen=KEPT)
        self._following = True  # until both are known

    def searched(self, milliseconds: float) -> None:
        """A search for faces took this long."""
        self._search.append(milliseconds)

    def looked(self, milliseconds: float, faces: int) -> None:
        """Looks at `faces` faces took this long together."""
        if faces:
            self._face.append(milliseconds / faces)

    def following_pays(self, faces: int, detect_every: int) -> bool:
        """Whether to follow so many faces, with a search every detect_every frames, or to search in every frame.

        A frame costs faces * f + s / detect_every in the one way and s in the other.
        """
        if self._search and self._face:
            follow, search = faces * median(self._face), median(self._search) * (1 - 1 / detect_every)
            self._following = follow < search * (1 + ADVANTAGE if self._following else 1 - ADVANTAGE)
        return self._following
