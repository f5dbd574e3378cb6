"""Pieces that grow from a head: brows, lashes, hair, ears, horns, antennae. All are sweeps of a section along a path.

Points are cm. A piece is given on the scan or on the character's own head, see each function.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

SKULL = np.array([0.0, 4.5, -0.5])  # cm: the skull's middle, about which hair is combed


@dataclass(frozen=True)
class Piece:
    """A closed surface. points: (V, 3). triangles: (T, 3). along: (V,) share of the way along its path. inner: (V,)
    bool, whether a vertex is on the hollow side. spine: (V, 3), the point that a vertex moves with where it follows the
    skin: of its path, unless held elsewhere."""

    points: np.ndarray
    triangles: np.ndarray
    along: np.ndarray
    inner: np.ndarray
    spine: np.ndarray

    def held_at(self, spine: np.ndarray) -> "Piece":
        """The piece, whose vertices move with one point (3,) or one each (V, 3)."""
        return replace(self, spine=np.broadcast_to(spine, self.points.shape))


def join(pieces: Sequence[Piece]) -> Piece:
    """All pieces as one."""
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    triangles = [piece.triangles + start for piece, start in zip(pieces, starts, strict=False)]
    fields = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in Piece.__dataclass_fields__
        if name != "triangles"
    }
    return Piece(triangles=np.concatenate(triangles), **fields)


def mirrored(piece: Piece) -> Piece:
    """The piece on the other side of x = 0."""
    flip = np.array([-1.0, 1, 1])
    return Piece(piece.points * flip, piece.triangles[:, ::-1], piece.along, piece.inner, piece.spine * flip)


def curve(points: Sequence[Sequence[float]] | np.ndarray, count: int) -> np.ndarray:
    """(count, D) points spread evenly along a smooth line through points (L, D)."""
    line = np.asarray(points, float)
    chords = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    spline = (
        CubicSpline(chords, line) if len(line) > 2 else lambda t: line[0] + np.outer(t / chords[-1], line[1] - line[0])
    )
    fine = spline(np.linspace(0, chords[-1], 20 * count))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    even = np.linspace(0, length[-1], count)
    return np.stack([np.interp(even, length, fine[:, k]) for k in range(line.shape[1])], axis=1)


def profile(values: float | Sequence[float], count: int) -> np.ndarray:
    """(count,) values, none below 0, that change smoothly through those given at even distances."""
    given = np.atleast_1d(np.asarray(values, float))
    if len(given) == 1:
        return np.full(count, given[0])
    at, wanted = np.linspace(0, 1, len(given)), np.linspace(0, 1, count)
    line = CubicSpline(at, given, bc_type="natural")(wanted) if len(given) > 2 else np.interp(wanted, at, given)
    return np.asarray(np.maximum(line, 0))


def sweep(
    path: np.ndarray, across: np.ndarray, width: np.ndarray, thickness: np.ndarray, sides: int = 8, hollow: float = -1.0
) -> Piece:
    """A tube along a path (L, 3), closed at both ends by a point.

    across: (L, 3), the direction of the section's width. width, thickness: (L,) half axes of the section. hollow: from
    -1, a full ellipse, over 0, its half, to 1, a shell: how far the inner side follows the outer one.
    """
    count = len(path)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = across - tangent * (across * tangent).sum(1, keepdims=True)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    outer = np.cross(tangent, across)
    angle = 2 * np.pi * np.arange(sides) / sides
    side = np.cos(angle)
    out = np.where(np.sin(angle) >= -1e-9, np.sin(angle), hollow * np.abs(np.sin(angle)))
    ring = (
        path[:, None]
        + (width[:, None] * side)[..., None] * across[:, None]
        + (thickness[:, None] * out)[..., None] * outer[:, None]
    )
    points = np.concatenate([ring.reshape(-1, 3), path[:1], path[-1:]])
    k = np.arange(sides)
    following = (k + 1) % sides
    triangles = []
    for row in range(count - 1):
        a, b = row * sides, (row + 1) * sides
        triangles += [np.stack([a + k, a + following, b + k], 1), np.stack([a + following, b + following, b + k], 1)]
    first, last = count * sides, count * sides + 1
    triangles += [np.stack([following, k, np.full(sides, first)], 1)]
    end = (count - 1) * sides
    triangles += [np.stack([end + k, end + following, np.full(sides, last)], 1)]
    along = np.concatenate([np.repeat(np.linspace(0, 1, count), sides), [0, 1]])
    inner = np.concatenate([np.tile(np.sin(angle) < -0.45, count), [False, False]])
    spine = np.concatenate([np.repeat(path, sides, axis=0), path[:1], path[-1:]])
    piece = Piece(points, np.concatenate(triangles), along, inner, spine)
    return piece if _volume(piece) > 0 else Piece(points, piece.triangles[:, ::-1], along, inner, spine)


def _volume(piece: Piece) -> float:
    a, b, c = (piece.points[piece.triangles[:, k]] - piece.points.mean(0) for k in range(3))
    return float((np.cross(a, b) * c).sum())


def ball(at: np.ndarray, radius: float, sides: int = 8) -> Piece:
    """A ball about a point (3,)."""
    turn = np.linspace(0, np.pi, sides // 2 + 2)[1:-1]
    path = at + radius * np.cos(turn)[:, None] * np.array([0, 0, 1.0])
    piece = sweep(path, np.tile([1.0, 0, 0], (len(path), 1)), radius * np.sin(turn), radius * np.sin(turn), sides)
    piece.points[-2:] = at + radius * np.array([[0, 0, 1.0], [0, 0, -1.0]])
    return Piece(piece.points, piece.triangles, piece.along, piece.inner, np.tile(at, (len(piece.points), 1)))


class Scalp:
    """The skin of a character's head as hair is combed over it: points by their direction from the skull's middle."""

    def __init__(self, points: np.ndarray) -> None:
        away = points - SKULL
        self._radius = np.linalg.norm(away, axis=1)
        self._tree = cKDTree(away / self._radius[:, None])

    def at(self, polar: np.ndarray, azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Points (N, 3) `height` (N,) cm above the skin in directions (N,): degrees from up, and from the front toward
        the subject's left."""
        p, a = np.radians(polar), np.radians(azimuth)
        direction = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], axis=1)
        distance, near = self._tree.query(direction, k=12)
        weight = 1 / (distance + 0.02) ** 2
        radius = (self._radius[near] * weight).sum(1) / weight.sum(1)
        return np.asarray(SKULL + direction * (radius + height)[:, None])

    def lock(
        self, way: np.ndarray, width: Sequence[float], thickness: Sequence[float], points: int = 8, sides: int = 6
    ) -> Piece:
        """A lock of hair along a way (L, 3) of polar angle, azimuth and height."""
        fine = curve(way * [1, 1, 12], points) / [1, 1, 12]
        path = self.at(*fine.T)
        outward = path - SKULL
        across = np.cross(np.gradient(path, axis=0), outward)
        return sweep(path, across, profile(width, points), profile(thickness, points), sides)
