"""Deformation transfer (Sumner and Popovic 2004): what one mesh does, done by another of other proportions.

Each triangle of the source turns, stretches and shears from its rest to its deformed shape. The target's triangles are
asked to do the same, and its vertices are the least-squares answer. Source and target have the same triangles here.
"""

import numpy as np
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu


class DeformationTransfer:
    """Carries deformations of a source mesh over to a target mesh. Factorized once, used for every blendshape.

    source, target: (V, 3) the meshes at rest. triangles: (T, 3) of both. anchors: (A,) vertices that stay where they
    are on the target; each connected piece needs one.
    """

    def __init__(self, source: np.ndarray, target: np.ndarray, triangles: np.ndarray, anchors: np.ndarray) -> None:
        self.source, self.target, self.triangles = source.astype(np.float64), target.astype(np.float64), triangles
        self.free = np.setdiff1d(np.arange(len(source)), anchors)
        self.rest = _frames(self.source, triangles)
        frames = _frames(self.target, triangles)
        area = np.linalg.norm(_normal(self.target, triangles), axis=1)
        self.gradient = _gradient(np.linalg.inv(frames), triangles, len(source))
        weight = diags(np.repeat(area, 3))
        self.weighted = (weight @ self.gradient).T.tocsc()
        normal = (self.weighted @ self.gradient).tocsc()[self.free][:, self.free]
        self.factor = splu(csc_matrix(normal))
        self.normals = np.linalg.inv(frames)[:, 2]  # (T, 3): the fourth vertex's row of each inverse

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        """(V, 3) offsets of the target's vertices that stand for those of the source's (V, 3)."""
        moved = _frames(self.source + offsets, self.triangles)
        change = moved @ np.linalg.inv(self.rest) - np.eye(3)  # (T, 3, 3) by which each triangle's surroundings move
        # The target's triangle spans two directions; along its normal the fourth vertex of Sumner and Popovic is free.
        wanted = change.transpose(0, 2, 1)  # rows: derivative along x, y, z
        unit = self.normals / np.linalg.norm(self.normals, axis=1, keepdims=True)
        wanted = wanted - unit[:, :, None] * np.einsum("ti,tij->tj", unit, wanted)[:, None]
        right = self.weighted @ wanted.reshape(-1, 3)
        carried = np.zeros_like(self.target)
        carried[self.free] = self.factor.solve(right[self.free])
        return carried


def _normal(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _frames(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T, 3, 3) columns: two edges, and the normal scaled by the root of its length, as in the paper."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return np.stack([b - a, c - a, normal / np.sqrt(length)], axis=2)


def _gradient(inverse: np.ndarray, triangles: np.ndarray, count: int) -> csc_matrix:
    """(3 T, V): derivatives along x, y, z of a function of the vertices over each triangle, its plane's only.

    inverse: (T, 3, 3) of the frames.
    """
    along = np.stack([-inverse[:, 0] - inverse[:, 1], inverse[:, 0], inverse[:, 1]], axis=2)  # (T, xyz, corner)
    rows = np.broadcast_to(np.arange(3 * len(triangles)).reshape(-1, 3, 1), along.shape)
    columns = np.broadcast_to(triangles[:, None, :], along.shape)
    return csc_matrix((along.ravel(), (rows.ravel(), columns.ravel())), (3 * len(triangles), count))
