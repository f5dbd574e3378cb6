"""What grows from a character's head: brows, lashes, hair, horns, ears, knobs. Each becomes a closed surface with a
colour at each vertex."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from studio.modelling.paint import linear
from studio.modelling.parts import Piece, Scalp, ball, curve, join, mirrored, profile, sweep
from studio.modelling.recipe import Ball, Brows, Hair, Lashes, Recipe, Sweep
from studio.modelling.scan import SKIN, Scan
from studio.modelling.warp import Warp
from training.render.anatomy import Anatomy

UP, LEFT = np.array([0.0, 1, 0]), np.array([1.0, 0, 0])
LEFT_BROW, LEFT_UPPER_LID = slice(22, 27), slice(42, 46)  # of the 68 points, from the nose outward
LID_CORNERS = (3, 58)  # of 60 points along the upper lid those between which lashes grow
LASH_POINTS, BROW_POINTS = 13, 9
STRAND, STRAND_STEP = 0.62, 0.45  # share of a brow that a strand covers; over which the strands' starts are spread
SHADES = 0.16  # by which locks differ in lightness, natural logarithm


@dataclass
class Growth:
    """Pieces and their linear colours (V, 3), by material: those that follow the face's motion, and those that go with
    the head. lashes: of the left eye and of the right one."""

    following: dict[str, list[tuple[Piece, np.ndarray]]] = field(default_factory=lambda: defaultdict(list))
    fixed: dict[str, list[tuple[Piece, np.ndarray]]] = field(default_factory=lambda: defaultdict(list))
    lashes: list[tuple[Piece, np.ndarray]] = field(default_factory=list)


def joined(pieces: list[tuple[Piece, np.ndarray]]) -> tuple[Piece, np.ndarray]:
    """Pieces and colours as one."""
    return join([piece for piece, _ in pieces]), np.concatenate([colour for _, colour in pieces])


@dataclass(frozen=True)
class Ground:
    """What things grow on. warp: from the scan to the character. rest: (V, 3) the scan with the expression at rest.
    shaped, normals: of the character's skin. All in cm."""

    scan: Scan
    anatomy: Anatomy
    warp: Warp
    rest: np.ndarray
    shaped: np.ndarray
    normals: np.ndarray

    def seat(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where on the character's skin a place (3,) on the scan's is, and the normal there."""
        near = np.argmin(np.linalg.norm(self.rest[SKIN] - root, axis=1))
        return self.shaped[near].astype(np.float64), self.normals[near].astype(np.float64)


def grow(recipe: Recipe, ground: Ground) -> Growth:
    """All that a recipe lets grow."""
    growth = Growth()
    for brows in [recipe.brows] if recipe.brows else []:
        for piece in _brow(brows, ground):
            colour = _blend(piece, brows.colour, brows.tip)
            growth.following["matte"] += [(piece, colour), (mirrored(piece), colour)]
    for lashes in [recipe.lashes] if recipe.lashes else []:
        piece = _lashes(lashes, ground)
        colour = _blend(piece, lashes.colour)
        growth.lashes = [(piece, colour), (mirrored(piece), colour)]
    things: list[Sweep | Ball] = [*recipe.sweeps, *recipe.balls]
    for thing in things:
        piece, colour = _swept(thing, ground) if isinstance(thing, Sweep) else _ball(thing, ground)
        into = growth.following if thing.follows else growth.fixed
        into[thing.material].append((piece, colour))
        if thing.root[0]:
            into[thing.material].append((mirrored(piece), colour))
    if recipe.hair:
        growth.fixed["hair"] += _hair(recipe.hair, ground)
    return growth


def _blend(piece: Piece, colour: str, tip: str | None = None) -> np.ndarray:
    start, end = linear(colour), linear(tip or colour)
    return np.asarray(start + (end - start) * piece.along[:, None])


def _swept(thing: Sweep, ground: Ground) -> tuple[Piece, np.ndarray]:
    at, normal = ground.seat(np.asarray(thing.root))
    path = curve(thing.path, thing.points) + at - thing.sink * normal
    width = profile(thing.width, thing.points)
    thickness = profile(thing.width if thing.thickness is None else thing.thickness, thing.points)
    across = np.tile(np.asarray(thing.across, float), (thing.points, 1))
    piece = sweep(path, across, width, thickness, thing.sides, thing.hollow).held_at(at)
    colour = _blend(piece, thing.colour, thing.tip)
    if thing.inner:
        colour[piece.inner] = linear(thing.inner)
    return piece, colour


def _ball(thing: Ball, ground: Ground) -> tuple[Piece, np.ndarray]:
    at, _ = ground.seat(np.asarray(thing.root))
    piece = ball(at + thing.offset, thing.radius, thing.sides).held_at(at)
    return piece, _blend(piece, thing.colour)


def _brow(brows: Brows, ground: Ground) -> list[Piece]:
    """The left brow's strands, which overlap from the nose outward."""
    line = ground.rest[ground.scan.head.landmarks[LEFT_BROW]] + np.asarray(brows.raise_by)
    path = ground.warp(curve(line, 60))
    pieces = []
    for k in range(brows.strands):
        start = STRAND_STEP * k / brows.strands
        stop = 1.0 if k == brows.strands - 1 else start + STRAND
        covered = slice(int(start * 59), int(stop * 59) + 1)
        lift = np.array([0, 0.05 * (brows.strands - 1 - 2 * k), 0.05 + 0.03 * k])
        along = np.linspace(0, 1, BROW_POINTS)
        whole = profile(brows.width, 60)[covered]
        taper = np.sqrt(np.clip(0.12 + 2.1 * along, 0, 1) * np.clip(2.6 - 2.55 * along, 0, 1))
        width = np.interp(along, np.linspace(0, 1, len(whole)), whole) * taper
        own = curve(path[covered] + lift, BROW_POINTS)
        pieces.append(sweep(own, np.tile(UP, (BROW_POINTS, 1)), width, brows.thickness * taper))
    return pieces


def _lashes(lashes: Lashes, ground: Ground) -> Piece:
    """The left upper lid's lashes: a blade that stands on the lid's edge, and swings with it about the eye."""
    lid = curve(ground.rest[ground.scan.head.landmarks[LEFT_UPPER_LID]], 60)[slice(*LID_CORNERS)]
    line = curve(lid, LASH_POINTS)
    outward = line - ground.scan.eye_centres[0]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    direction = outward + 0.5 * UP + np.linspace(-0.1, 0.5, LASH_POINTS)[:, None] * LEFT
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    half = profile(lashes.length, LASH_POINTS) / 2
    root, path = ground.warp(line), ground.warp(line + 0.02 * outward + half[:, None] * direction)
    across = ground.warp(line + 0.2 * direction) - root
    width = half * np.linalg.norm(across, axis=1) / 0.2
    sides = 6
    piece = sweep(path, across, width, np.full(LASH_POINTS, lashes.thickness), sides)
    return piece.held_at(np.concatenate([np.repeat(root, sides, axis=0), root[:1], root[-1:]]))


def _hair(hair: Hair, ground: Ground) -> list[tuple[Piece, np.ndarray]]:
    """Locks in rows, each a little different."""
    rng, shade = np.random.default_rng(hair.seed), np.random.default_rng(hair.seed + 1)
    hairy = (ground.anatomy.hairline[SKIN] > -1.5) | (ground.anatomy.outward[SKIN, 1] > 0.3)
    scalp = Scalp(ground.shaped[hairy])
    locks = []
    for row in hair.rows:
        for azimuth in np.linspace(row.azimuth[0], row.azimuth[1], row.count):
            way = np.asarray(row.way, float)
            along = np.linspace(0, 1, len(way))
            way[:, 0] += rng.normal(0, 2.5) + along * rng.normal(0, 5)
            way[:, 1] += azimuth + along * rng.normal(0, 7)
            way[1:, 2] *= np.exp(rng.normal(0, 0.15))
            width = np.asarray(row.width) * np.exp(rng.normal(0, 0.12))
            piece = scalp.lock(way, list(width), row.thickness)
            locks.append((piece, _blend(piece, hair.colour, hair.tip) * np.exp(shade.normal(0, SHADES))))
    return locks
