"""What a character's face does: the scan's blendshapes, carried over to the character's shape."""

import numpy as np
from scipy.sparse import coo_matrix, diags

from service.vision.arkit import ARKIT_NAMES
from studio.modelling.lids import clear_eyeballs, close_lids
from studio.modelling.paint import region
from studio.modelling.recipe import Recipe, Smoothing
from studio.modelling.scan import MOUTH, SKIN, TEETH, Scan
from studio.modelling.transfer import DeformationTransfer
from studio.modelling.warp import Warp
from training.render.anatomy import smoothstep

STILL = (0.002, 0.012)  # cm: what the scan moves by less than the first stays; from the second on it moves fully
BONE = (0.5, 0.9)  # share of the lower teeth's way at jawOpen between which the mouth's inside belongs to the lower jaw
CHIN, CHIN_DEPTH = 0.8, 8.5  # share of that way from which skin is the chin; cm of depth z from which on
LIDS_KEPT = (1.3, 2.0)  # radii of an eyeball between which smoothing sets in


def rest_of(scan: Scan, recipe: Recipe) -> np.ndarray:
    """(V, 3) cm: the scan with the expression that the character wears at rest."""
    rest = scan.points.astype(np.float64)
    for name, share in recipe.rest.items():
        rest += share * scan.blendshapes[ARKIT_NAMES.index(name)]
    return rest


def shape_of(scan: Scan, recipe: Recipe, warp: Warp, rest: np.ndarray) -> np.ndarray:
    """(V, 3) cm: the character at rest."""
    shaped = warp(rest)
    for smoothing in recipe.smooth:
        shaped[SKIN] = _smoothed(scan, rest[SKIN], shaped[SKIN], smoothing)
    return shaped


def _smoothed(scan: Scan, rest: np.ndarray, shaped: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    share = smoothstep(region(rest, smoothing.at, smoothing.reach), 0, 0.6)
    for centre, radius in zip(scan.eye_centres, scan.eye_radii, strict=True):
        share *= smoothstep(np.linalg.norm(rest - centre, axis=1) / radius, *LIDS_KEPT)
    edges = np.concatenate([scan.skin[:, [0, 1]], scan.skin[:, [1, 2]], scan.skin[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    beside = coo_matrix((np.ones(len(edges)), edges.T), (len(shaped), len(shaped))).tocsr()
    mean = diags(1 / np.asarray(beside.sum(1)).ravel()) @ beside
    for _ in range(smoothing.rounds):
        shaped = shaped + share[:, None] * (mean @ shaped - shaped)
    # The scan's edges are not quite those of its mirror image.
    return np.asarray((shaped + shaped[scan.mirror] * [-1, 1, 1]) / 2)


def motion_of(
    scan: Scan, recipe: Recipe, warp: Warp, rest: np.ndarray, shaped: np.ndarray, cut: np.ndarray
) -> np.ndarray:
    """(52, V, 3) cm: ARKit's blendshapes of the character's shape (V, 3). cut: vertices that stay, the neck's edge."""
    source = scan.blendshapes.copy()
    for side in ("Left", "Right"):  # lids that are wide open at rest have farther to go to close
        wide = recipe.rest.get(f"eyeWide{side}", 0.0) * source[ARKIT_NAMES.index(f"eyeWide{side}")]
        source[ARKIT_NAMES.index(f"eyeBlink{side}")] -= wide
    offsets = np.zeros_like(source)
    transfer = DeformationTransfer(rest[SKIN], shaped[SKIN], scan.skin, cut)
    inside = warp.jacobian(rest[MOUTH])
    for row, offset in enumerate(source):
        moves = smoothstep(np.linalg.norm(offset[SKIN], axis=1), *STILL)
        if moves.any():
            offsets[row, SKIN] = transfer(offset[SKIN]) * moves[:, None]
        offsets[row, MOUTH] = np.einsum("vij,vj->vi", inside, offset[MOUTH])
    _move_jaw(scan, shaped, offsets)
    centres, radius = warp.eye_centres(), float(scan.eye_radii.mean()) * recipe.eyes.scale
    clear_eyeballs(shaped, offsets, centres, radius)
    close_lids(scan, shaped, offsets)
    clear_eyeballs(shaped, offsets, centres, radius)
    return offsets


def _move_jaw(scan: Scan, shaped: np.ndarray, offsets: np.ndarray) -> None:
    """Lets the lower teeth and gums move with the chin, as one bone; changes offsets (52, V, 3)."""
    opened = np.linalg.norm(scan.blendshapes[ARKIT_NAMES.index("jawOpen")], axis=1)
    share = opened / opened[TEETH].max()
    chin = np.flatnonzero((share[SKIN] > CHIN) & (scan.points[SKIN, 2] > CHIN_DEPTH))
    bone = smoothstep(share[MOUTH], *BONE)[:, None]
    for row, name in enumerate(ARKIT_NAMES):
        if name.startswith("jaw"):
            turn, move = rigid_motion(shaped[chin], shaped[chin] + offsets[row, chin])
            rigid = shaped[MOUTH] @ turn.T + move - shaped[MOUTH]
            offsets[row, MOUTH] += bone * (rigid - offsets[row, MOUTH])


def rigid_motion(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation (3, 3) and translation (3,) that take points (N, 3) nearest to others (Kabsch 1976)."""
    a, b = before.mean(0), after.mean(0)
    u, _, v = np.linalg.svd((after - b).T @ (before - a))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ v))]) @ v
    return turn, b - turn @ a
