"""Turns the face of a photo in depth with its fitted mesh (face profiling: Zhu et al., "Face Alignment Across Large
Poses", CVPR 2016, section 4), so that the few large poses of photos become many and their labels stay exact.

Two layers share one z-buffer, both textured by the photo through its own projection:
- the head: those triangles of the fitted mesh that the photo shows, turned as they are;
- the sheet: a grid over the whole photo. Where it lies on the head it has the head's depth; beside it the depth is
  carried on from the nearest point of the silhouette and falls off as the side of a head does (hair, ears, neck), and
  farther out the sheet stays where it was. It is one piece with the head, so no seam shows where the face ends.
A head is to be turned further away from the camera than it was: what its photo hides cannot be shown.
"""

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from training.face_model.ict_facekit import NARROW_FACE_VERTICES
from training.render.head import Head, Pose, vertex_normals
from training.render.rasterize import rasterize

# The depth map around the head's origin, in the camera frame of the photo.
REACH = 20.0  # cm each way
DEPTH_PIXELS = 4  # a cm
LOWEST_NECK = -13.0  # cm in the head frame; below it the model's shoulders say nothing about the photo's
VISIBLE_WITHIN = 0.5  # cm behind the depth map that still counts as seen

# The sheet.
FINE, COARSE = 0.5, 10.0  # cm between grid lines near the head and beyond
FARTHEST = 90.0  # cm
BEHIND_HEAD = 0.4  # cm that the sheet lies under the head's own triangles
FALL_OFF = 1.6  # cm of depth a cm beside the silhouette
TURNS_WITHIN, STAYS_BEYOND = 3.0, 11.0  # cm beside the silhouette
FOLLOWS_WITHIN = 5.0  # cm beside the silhouette that an expression still moves
BACKGROUND_DEPTH = -25.0  # cm

GRAZING = 0.55  # cosine below which the photo's silhouette may already be background
INWARD = 1.6  # cm by which texture is fetched further inside at the very silhouette
FULL_INWARD = np.radians(30)  # turns by less fetch it less far inside, for less of the edge comes into sight
SUPERSAMPLING = 1.5  # edges are smooth enough, and the time is half of that at 2


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """The sheet's vertices (G, 2) in cm, x right and y up, and its triangles, counter-clockwise seen from the front."""
    fine = np.arange(-REACH + FINE, REACH, FINE)
    far = np.arange(REACH, FARTHEST + COARSE, COARSE)
    line = np.concatenate([-far[::-1], fine, far])
    x, y = np.meshgrid(line, line[::-1])
    corner = (np.arange(len(line) - 1)[:, None] * len(line) + np.arange(len(line) - 1)).ravel()
    below = corner + len(line)
    triangles = np.concatenate([np.stack([corner, below, corner + 1], 1), np.stack([corner + 1, below, below + 1], 1)])
    return np.stack([x.ravel(), y.ravel()], axis=1), triangles


GRID, GRID_TRIANGLES = _grid()


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def _depth_map(points: np.ndarray, triangles: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth (S, S) cm of the nearest surface around the origin, -inf beside it, and its `moves` (V, 3) as (S, S, 3)."""
    size = int(2 * REACH * DEPTH_PIXELS)
    upright = Pose(np.array([0.0, 0, 0, 1]), np.full(2, size / 2), DEPTH_PIXELS)
    coverage = rasterize(upright.pixels(points), triangles, size, size)
    depth = coverage.scatter(coverage.depth / DEPTH_PIXELS, -np.inf)
    return depth, coverage.scatter(coverage.interpolate(moves, triangles), 0.0)


def _look_up(picture: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Values of a depth-map-sized array at points (N, 2) in cm; beside it those of its edge."""
    size = len(picture)
    column = np.clip(((REACH + xy[:, 0]) * DEPTH_PIXELS).astype(int), 0, size - 1)
    row = np.clip(((REACH - xy[:, 1]) * DEPTH_PIXELS).astype(int), 0, size - 1)
    return np.asarray(picture[row, column])


def _sheet(depth: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sheet's depth (G,) in the photo's camera frame, how much it stays where it is (G,), 0 to 1, and how it
    follows an expression (G, 3) cm, from a depth map (S, S) and the moves (S, S, 3) of the surface on it."""
    outside = ~np.isfinite(depth)
    distance, (row, column) = distance_transform_edt(outside, return_indices=True)
    distance = distance / DEPTH_PIXELS
    carried = depth[row, column]
    carried = np.where(outside, gaussian_filter(carried, 0.75 * DEPTH_PIXELS), carried)
    carried -= FALL_OFF * np.minimum(distance, TURNS_WITHIN * 2)
    follows = moves[row, column] * (1 - _smoothstep(distance / FOLLOWS_WITHIN))[..., None]
    beyond = np.maximum(np.abs(GRID) - REACH, 0).max(1)  # the depth map ends before the grid does
    stays = _smoothstep((_look_up(distance, GRID) + beyond - TURNS_WITHIN) / (STAYS_BEYOND - TURNS_WITHIN))
    return _look_up(carried, GRID) - BEHIND_HEAD, stays, _look_up(follows, GRID)


def turn_in_depth(
    photo: np.ndarray,
    head: Head,
    shape: np.ndarray,
    fitted: Pose,
    turned: Pose,
    size: int,
    new_shape: np.ndarray | None = None,
) -> np.ndarray:
    """The photo with its head in another pose: (size, size, 3) uint8.

    photo: (H, W, 3) uint8. shape: (V, 3) cm, the fitted head in its own frame. fitted: its pose in the photo. turned:
    its pose in the picture that is made. new_shape: the head with another expression, where that changes as well.
    """
    triangles = head.triangles[(shape[:, 1] > LOWEST_NECK)[head.triangles].all(1)]
    points = fitted.turn(shape)
    new_points = shape if new_shape is None else new_shape
    depth, moves = _depth_map(points, triangles, fitted.turn(new_points - shape))
    normals = vertex_normals(points, triangles)
    seen = (points[:, 2] > _look_up(depth, points[:, :2]) - VISIBLE_WITHIN) & (normals[:, 2] > 0)
    triangles = triangles[seen[triangles].all(1)]

    sheet_depth, stays, follows = _sheet(depth, moves)
    unturned = fitted.turn(np.eye(3, dtype=np.float32)).T  # camera of the photo to head frame, for row vectors
    sheet = turned.turn((np.concatenate([GRID, sheet_depth[:, None]], axis=1) + follows) @ unturned)
    still = np.concatenate([GRID, np.full((len(GRID), 1), BACKGROUND_DEPTH)], axis=1)
    sheet = (1 - stays[:, None]) * sheet + stays[:, None] * still
    together = np.concatenate([sheet, turned.turn(new_points)])

    # texture coordinates: the photo's own projection, drawn inside where the surface turns away
    cosine = abs(float(fitted.quaternion @ turned.quaternion))  # of half the angle between the two poses
    turned_by = 2 * np.arccos(min(cosine, 1.0))
    inward = INWARD * min(1.0, turned_by / FULL_INWARD) * np.maximum(0, 1 - normals[:, 2:] / GRAZING)
    inward[NARROW_FACE_VERTICES:] = 0  # ears and scalp meet the sheet there
    source = np.concatenate([GRID, points[:, :2] - inward * normals[:, :2]])
    source = source * [fitted.scale, -fitted.scale] + fitted.origin

    fine = round(size * SUPERSAMPLING)
    enlarged = Pose(turned.quaternion, turned.origin * fine / size, turned.scale * fine / size)
    pixels = enlarged.pixels(together)
    a, b, c = (pixels[len(GRID) + triangles[:, k], :2] for k in range(3))
    front = (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) > (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    everything = np.concatenate([GRID_TRIANGLES, triangles[front] + len(GRID)])
    coverage = rasterize(pixels, everything, fine, fine, cull=False)
    where = coverage.interpolate(source.astype(np.float32), everything) - 0.5  # cv2 counts from pixel centres
    columns, rows = (coverage.scatter(where[:, k], -1.0) for k in range(2))
    picture = cv2.remap(photo, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
