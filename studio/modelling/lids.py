"""Keeps eyelids in front of the eyeballs, however they move."""

import numpy as np
from scipy.spatial import cKDTree

from service.vision.arkit import ARKIT_NAMES
from studio.modelling.scan import SKIN, Scan

MARGIN = 0.05  # radii of the eyeball by which a lid that slides over it stays in front
LONG_WAY = (
    0.08  # radii more for one that goes a radius far: halfway its straight line is nearer to the eye than its ends
)
LID_STARTS = (0.97, 1.3)  # radii from the eyeball's centre within which skin can be a lid
MOVES_LIDS = ("eye", "cheekSquint", "browDown")  # beginnings of the names of blendshapes that do
LONG, MEETING, SEAM = (
    0.3,
    0.12,
    0.2,
)  # cm: an upper lid's way at least; between lids that meet; how far a gap is smoothed
FADING = 0.7  # cm from the edge to where a lid no longer follows it


def clear_eyeballs(shaped: np.ndarray, offsets: np.ndarray, centres: np.ndarray, radius: float) -> None:
    """Moves lids outward that would enter an eyeball. shaped: (V, 3). offsets: (52, V, 3), which are changed. centres:
    (2, 3) and radius of the eyeballs. In cm."""
    for row, name in enumerate(ARKIT_NAMES):
        if not name.startswith(MOVES_LIDS):
            continue
        for centre in centres:
            away = shaped[SKIN] - centre
            start = np.linalg.norm(away, axis=1) / radius
            travel = np.linalg.norm(offsets[row, SKIN], axis=1) / radius
            within = (start > LID_STARTS[0]) & (start < LID_STARTS[1])
            lid = np.flatnonzero(within & (travel > 0.01) & (away[:, 2] > 0))
            moved = away[lid] + offsets[row, lid]
            end = np.linalg.norm(moved, axis=1, keepdims=True) / radius
            more = LONG_WAY * np.clip(travel[lid], 0, 1)
            least = np.minimum(1 + MARGIN + more, start[lid] + more + 0.02)[:, None]
            offsets[row, lid] += moved / end * np.maximum(least - end, 0)


def close_lids(scan: Scan, shaped: np.ndarray, offsets: np.ndarray) -> None:
    """Makes lids meet at eyeBlink* of 1 where the scan's do. shaped: (V, 3) cm. offsets: (52, V, 3), which are
    changed."""
    for side, centre, radius in zip(("Left", "Right"), scan.eye_centres, scan.eye_radii, strict=True):
        row = ARKIT_NAMES.index(f"eyeBlink{side}")
        way = scan.blendshapes[row, SKIN]
        travel, lowered = np.linalg.norm(way, axis=1), -way[:, 1]
        near = np.linalg.norm(scan.points[SKIN] - centre, axis=1) < LID_STARTS[1] * radius
        upper, lower = np.flatnonzero(near & (lowered > LONG)), np.flatnonzero(near & (travel < LONG))
        closed = scan.points[SKIN] + way
        distance, partner = cKDTree(closed[lower]).query(closed[upper])
        edge, partner = upper[distance < MEETING], lower[partner[distance < MEETING]]
        shut = shaped[SKIN] + offsets[row, SKIN]
        gap = shut[partner] - shut[edge]
        lid = np.flatnonzero(near & (lowered > LONG / 3))  # the lower lid, which rises, stays where it is met
        apart = np.linalg.norm(closed[lid, None] - closed[edge], axis=2)
        weight = np.exp(-((apart / SEAM) ** 2)) + 1e-12
        share = np.exp(-((apart.min(1) / FADING) ** 2)) * np.clip(lowered[lid] / LONG, 0, 1)
        offsets[row, lid] += share[:, None] * (weight @ gap) / weight.sum(1, keepdims=True)
