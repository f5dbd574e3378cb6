"""Chooses which vertices of a mesh to keep, so that the shape holds in several poses at once and stays symmetric.

Quadric error metrics (Garland and Heckbert 1997) with collapses onto existing vertices, so that every blendshape holds
exactly at what is kept. The quadrics are of several poses of the one mesh; mirrored edges collapse together.
"""

import heapq
from collections.abc import Iterable

import numpy as np

FLIPPED = 0.3  # cosine between a triangle's normals before and after, below which a collapse folds the surface


class Simplifier:
    """A mesh that loses vertices pair by pair.

    poses: (P, V, 3) of the mesh, the resting one first. triangles: (T, 3). mirror: (V,) the vertex on the other side.
    importance: (V,) factor of the error. frozen: (V,) bool, vertices that stay.
    """

    def __init__(
        self,
        poses: np.ndarray,
        triangles: np.ndarray,
        mirror: np.ndarray,
        importance: np.ndarray,
        frozen: np.ndarray,
    ) -> None:
        self.poses = poses.astype(np.float64)
        self.homogeneous = np.concatenate([self.poses, np.ones((*poses.shape[:2], 1))], axis=2).transpose(1, 0, 2)
        self.triangles: dict[int, tuple[int, int, int]] = {
            k: (int(a), int(b), int(c)) for k, (a, b, c) in enumerate(triangles)
        }
        self.mirror, self.importance, self.frozen = mirror, importance, frozen
        self.around: list[set[int]] = [set() for _ in range(poses.shape[1])]
        for key, corners in self.triangles.items():
            for vertex in corners:
                self.around[vertex].add(key)
        self.quadrics = _quadrics(self.poses, triangles)
        self.version = np.zeros(poses.shape[1], np.int64)

    def neighbours(self, vertex: int) -> set[int]:
        """Vertices that share an edge with a vertex."""
        return {corner for key in self.around[vertex] for corner in self.triangles[key]} - {vertex}

    def reduce(self, vertices: Iterable[int], count: int) -> None:
        """Collapses vertices of those given until only `count` of them are left, or none can go."""
        alive = {v for v in vertices if self.around[v]}
        heap: list[tuple[float, int, int, int]] = []
        for vertex in sorted(alive):
            self._push(heap, vertex)
        while heap and len(alive) > count:
            _, removed, kept, version = heapq.heappop(heap)
            if removed not in alive or version != self.version[removed] or not self._collapses(removed, kept):
                continue
            pairs = {(removed, kept), (int(self.mirror[removed]), int(self.mirror[kept]))}
            if not all(self._collapses(a, b) for a, b in pairs):
                continue
            touched: set[int] = set()
            for a, b in sorted(pairs):
                touched |= self._collapse(a, b)
                alive.discard(a)
            for vertex in sorted(touched & alive):
                self.version[vertex] += 1
                self._push(heap, vertex)

    def _push(self, heap: list[tuple[float, int, int, int]], vertex: int) -> None:
        if self.frozen[vertex]:
            return
        targets = sorted(self.neighbours(vertex))
        quadric = self.quadrics[vertex][None] + self.quadrics[targets]  # (N, P, 4, 4)
        points = self.homogeneous[targets]  # (N, P, 4)
        error = np.einsum("npi,npij,npj->np", points, quadric, points).max(1)
        length = ((self.poses[0, targets] - self.poses[0, vertex]) ** 2).sum(1)
        cost = self.importance[vertex] * (np.maximum(error, 0) + 1e-5 * length)
        for target, value in zip(targets, cost, strict=True):
            heapq.heappush(heap, (float(value), vertex, target, int(self.version[vertex])))

    def _collapses(self, removed: int, kept: int) -> bool:
        """Whether the surface stays a surface, unfolded and symmetric."""
        middle = self.mirror[removed] == removed
        if (kept == self.mirror[removed] and not middle) or (middle and self.mirror[kept] != kept):
            return False
        shared = [key for key in self.around[removed] if kept in self.triangles[key]]
        if len(shared) != 2 or len(self.neighbours(removed) & self.neighbours(kept)) != 2:
            return False
        moved = [self.triangles[key] for key in self.around[removed] if kept not in self.triangles[key]]
        if not moved:
            return False
        before = np.array(moved)
        after = np.where(before == removed, kept, before)
        old, new = _normals(self.poses[:1], before)[0], _normals(self.poses[:1], after)[0]
        cosine = (old * new).sum(1) / np.maximum(np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1), 1e-12)
        return bool((cosine > FLIPPED).all())

    def _collapse(self, removed: int, kept: int) -> set[int]:
        """Moves the triangles of one vertex to another; returns whose neighbourhoods changed."""
        for key in sorted(self.around[removed]):
            corners = self.triangles[key]
            if kept in corners:
                for vertex in corners:
                    self.around[vertex].discard(key)
                del self.triangles[key]
            else:
                a, b, c = (kept if vertex == removed else vertex for vertex in corners)
                self.triangles[key] = (a, b, c)
                self.around[kept].add(key)
        self.around[removed] = set()
        self.quadrics[kept] += self.quadrics[removed]
        return self.neighbours(kept) | {kept}


def _normals(poses: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(P, T, 3) normals of triangles (T, 3), twice their areas long."""
    a, b, c = (poses[:, triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _quadrics(poses: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, P, 4, 4) squared distances from the planes of the triangles at each vertex, weighted by area."""
    quadrics = np.zeros((poses.shape[1], len(poses), 4, 4))
    for pose, points in enumerate(poses):
        normal = _normals(points[None], triangles)[0]
        area = np.linalg.norm(normal, axis=1, keepdims=True)
        unit = normal / np.maximum(area, 1e-12)
        plane = np.concatenate([unit, -(unit * points[triangles[:, 0]]).sum(1, keepdims=True)], axis=1)
        outer = plane[:, :, None] * plane[:, None, :] * area[:, :, None]
        for corner in range(3):
            np.add.at(quadrics[:, pose], triangles[:, corner], outer)
    return quadrics
