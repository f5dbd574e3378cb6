"""Lets what is attached to the skin, brows and lashes for example, move with the skin below it."""

import numpy as np
from scipy.spatial import cKDTree

NEAREST = 5  # vertices of the skin that a point follows, the nearer the more


class Follower:
    """Binds points (N, 3) to the skin (V, 3) that they rest on, in cm."""

    def __init__(self, points: np.ndarray, skin: np.ndarray) -> None:
        distance, self.vertices = cKDTree(skin).query(points, k=NEAREST)
        weights = 1 / (distance + 0.05) ** 2
        self.weights = weights / weights.sum(1, keepdims=True)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """(N, 3) of values (V, 3) of the skin."""
        return np.asarray(np.einsum("nk,nkc->nc", self.weights, values[self.vertices]))


def swung(points: np.ndarray, spine: np.ndarray, moved: np.ndarray, pivot: np.ndarray) -> np.ndarray:
    """(N, 3) by which points (N, 3) move when the points that they hang on, spine (N, 3), move by (N, 3) about a pivot
    (3,), and take them along in a turn."""
    before, after = spine - pivot, spine + moved - pivot
    before = before / np.linalg.norm(before, axis=1, keepdims=True)
    after = after / np.linalg.norm(after, axis=1, keepdims=True)
    axis, cosine = np.cross(before, after), (before * after).sum(1, keepdims=True)
    arm = points - spine
    turned = arm * cosine + np.cross(axis, arm) + axis * (axis * arm).sum(1, keepdims=True) / (1 + cosine)
    return np.asarray(moved + turned - arm)
