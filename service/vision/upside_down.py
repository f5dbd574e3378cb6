"""Whether the faces that the Multiple Face Network found are upside down, told by what it takes them for.

It takes most faces that are upside down for upright ones, of lower scores and odd identities: what it sees as a chin is
a forehead. Score and identity together tell most pictures apart without another inference.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from service.vision.arrays import Array

VOTE_POWER: Final = 2  # exponent of the scores that weight the faces: a doubtful one says little


@dataclass(frozen=True)
class UpsideDown:
    """Weights, fitted to one network, of a face's evidence that it is upside down.

    identity: (50,) of its identity, a standard deviation each. score: of its score. constant: of every face.
    """

    identity: Array
    score: float
    constant: float

    def log_odds(self, score: Array, identity: Array) -> float:
        """The natural logarithm of the odds that a picture is upside down, of its candidates, at least one.

        score: (K,). identity: (K, 50). Candidates of one picture say much the same: N of them count like sqrt(N).
        """
        weight = score**VOTE_POWER
        evidence = identity @ self.identity + self.score * score + self.constant
        return float(weight @ evidence / np.sqrt(weight.sum()))
