"""A z-buffer for triangle meshes in NumPy: which triangle each pixel sees, and where in it.

Pixel coordinates are continuous, (0, 0) at the top left corner of the picture; a pixel is covered where its centre,
(column + 0.5, row + 0.5), lies in a triangle. The meshes of this project have triangles of a few pixels, so every
pixel of every triangle's bounding box is tested at once in flat arrays, without a loop over triangles.
"""

from dataclasses import dataclass

import numpy as np

EDGE_TOLERANCE = 1e-5  # barycentric; pixels on the edge of two triangles must not fall through between them
SMALLEST_AREA = 1e-9  # pixels squared; thinner triangles are seen edge on and cover nothing


@dataclass(frozen=True)
class Coverage:
    """The covered pixels of a picture of height x width, P of them in row-major order.

    pixel: (P,) int64, row * width + column. triangle: (P,) int64, index of the nearest triangle. weights: (P, 3)
    float32, barycentric coordinates in it. depth: (P,) float32 in the unit of the points' third coordinate.
    """

    height: int
    width: int
    pixel: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    depth: np.ndarray

    def interpolate(self, values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Interpolates values at the vertices to the pixels. values: (V, C) or (V,) at the vertices, triangles: (T, 3)
        as rasterised; (P, C) or (P,) at the pixels."""
        corners = triangles[self.triangle]
        flat = values.reshape(len(values), -1)
        total: np.ndarray = flat[corners[:, 0]] * self.weights[:, :1]
        total += flat[corners[:, 1]] * self.weights[:, 1:2]
        total += flat[corners[:, 2]] * self.weights[:, 2:]
        return total.reshape(-1, *values.shape[1:])

    def where_nearer(self, depth: np.ndarray) -> "Coverage":
        """Only the pixels at which this is nearer than depth (height, width)."""
        kept = np.flatnonzero(self.depth > depth.reshape(-1)[self.pixel])
        return Coverage(
            self.height, self.width, self.pixel[kept], self.triangle[kept], self.weights[kept], self.depth[kept]
        )

    def scatter(self, values: np.ndarray, background: np.ndarray | float) -> np.ndarray:
        """A picture (height, width, ...) with values (P, ...) at the covered pixels and `background` elsewhere."""
        picture = np.empty((self.height * self.width, *values.shape[1:]), values.dtype)
        picture[:] = np.reshape(background, (-1, *values.shape[1:])) if np.ndim(background) else background
        picture[self.pixel] = values
        return picture.reshape(self.height, self.width, *values.shape[1:])


def rasterize(points: np.ndarray, triangles: np.ndarray, width: int, height: int, cull: bool = True) -> Coverage:
    """The nearest triangle at each pixel.

    points: (V, 3), x and y in pixels and a depth that grows toward the viewer. triangles: (T, 3) indices,
    counter-clockwise as the viewer sees their front (y of the points points down). With `cull`, triangles seen from
    behind are left out; without, both sides are drawn. Of equally near triangles the one listed last is seen.
    """
    corners = points.astype(np.float32)[triangles]  # (T, 3, 3)
    x, y = corners[..., 0], corners[..., 1]
    low, high = (f(f(corners[:, 0], corners[:, 1]), corners[:, 2]) for f in (np.minimum, np.maximum))  # (T, 3)
    # twice the signed area; positive for triangles seen from their front
    area = (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0]) - (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0])
    first_column = np.clip(np.ceil(low[:, 0] - 0.5), 0, width).astype(np.int32)
    last_column = np.clip(np.floor(high[:, 0] - 0.5), -1, width - 1).astype(np.int32)
    first_row = np.clip(np.ceil(low[:, 1] - 0.5), 0, height).astype(np.int32)
    last_row = np.clip(np.floor(high[:, 1] - 0.5), -1, height - 1).astype(np.int32)
    columns = last_column - first_column + 1
    rows = last_row - first_row + 1
    seen = area > SMALLEST_AREA if cull else np.abs(area) > SMALLEST_AREA
    kept = np.flatnonzero(seen & (columns > 0) & (rows > 0))

    # One entry a pixel of each kept triangle's bounding box.
    boxes = columns[kept] * rows[kept]
    owner = np.repeat(np.arange(len(kept), dtype=np.int32), boxes)
    starts = np.cumsum(boxes, dtype=np.int64) - boxes
    within = (np.arange(len(owner), dtype=np.int64) - starts[owner]).astype(np.int32)
    box_columns = columns[kept][owner]
    box_row = within // box_columns
    column = within - box_row * box_columns + first_column[kept][owner]
    row = box_row + first_row[kept][owner]

    # Barycentric weights as planes over the picture: w1 and w2 are linear in the offset from corner 0.
    x0, y0, z = x[kept, 0], y[kept, 0], corners[kept, :, 2]
    x1, y1, x2, y2 = x[kept, 1] - x0, y[kept, 1] - y0, x[kept, 2] - x0, y[kept, 2] - y0
    inverse = 1 / (x2 * y1 - x1 * y2)
    dx = column.astype(np.float32) + (0.5 - x0)[owner]
    dy = row.astype(np.float32) + (0.5 - y0)[owner]
    w1 = (-y2 * inverse)[owner] * dx + (x2 * inverse)[owner] * dy
    w2 = (y1 * inverse)[owner] * dx - (x1 * inverse)[owner] * dy
    w0 = 1 - w1 - w2
    inside = np.flatnonzero((w0 >= -EDGE_TOLERANCE) & (w1 >= -EDGE_TOLERANCE) & (w2 >= -EDGE_TOLERANCE))

    owner, w1, w2 = owner[inside], w1[inside], w2[inside]
    pixel = row[inside].astype(np.int64) * width + column[inside]
    depth = z[owner, 0] + w1 * (z[:, 1] - z[:, 0])[owner] + w2 * (z[:, 2] - z[:, 0])[owner]
    nearest = np.full(width * height, -np.inf, np.float32)
    np.maximum.at(nearest, pixel, depth)
    winners = np.flatnonzero(depth == nearest[pixel])
    fragment = np.full(width * height, -1, np.int64)
    fragment[pixel[winners]] = winners  # of equal depths the last one stays
    covered = np.flatnonzero(fragment >= 0)
    fragment = fragment[covered]
    w1, w2 = w1[fragment], w2[fragment]
    return Coverage(
        height=height,
        width=width,
        pixel=covered,
        triangle=kept[owner[fragment]],
        weights=np.stack([1 - w1 - w2, w1, w2], axis=1),
        depth=depth[fragment],
    )
