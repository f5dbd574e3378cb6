import numpy as np
import pytest

from training.render.rasterize import rasterize

# (0,0)-(0,4)-(4,0): with y pointing down this order runs counter-clockwise as the viewer sees it
CORNER = np.array([[0, 0, 1], [0, 4, 5], [4, 0, 9]], float)
TRIANGLE = np.array([[0, 1, 2]])


def test_covers_the_pixels_whose_centres_lie_inside() -> None:
    coverage = rasterize(CORNER, TRIANGLE, width=5, height=4)
    picture = coverage.scatter(np.ones(len(coverage.pixel), int), 0)
    assert picture.tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]


def test_barycentric_weights_and_depth_by_hand() -> None:
    coverage = rasterize(CORNER, TRIANGLE, width=5, height=4)
    at = int(np.flatnonzero(coverage.pixel == 1 * 5 + 2)[0])  # centre (2.5, 1.5)
    np.testing.assert_allclose(coverage.weights[at], [0, 0.375, 0.625], atol=1e-6)
    assert coverage.depth[at] == pytest.approx(0.375 * 5 + 0.625 * 9, abs=1e-5)


def test_culls_what_is_seen_from_behind() -> None:
    assert len(rasterize(CORNER, TRIANGLE[:, ::-1], 5, 4).pixel) == 0
    assert len(rasterize(CORNER, TRIANGLE[:, ::-1], 5, 4, cull=False).pixel) == 10


def test_the_nearer_of_two_triangles_is_seen_whatever_their_order() -> None:
    far = CORNER * [1, 1, 0]
    points, triangles = np.concatenate([CORNER, far]), np.array([[0, 1, 2], [3, 4, 5]])
    assert set(rasterize(points, triangles, 5, 4).triangle) == {0}
    assert set(rasterize(points, triangles[::-1], 5, 4).triangle) == {1}


def test_what_reaches_past_the_picture_is_cut_at_its_edges() -> None:
    coverage = rasterize((CORNER - [1, 1, 0]) * [100, 100, 1], TRIANGLE, 6, 3)
    assert coverage.pixel.tolist() == list(range(18))
    outside = rasterize(CORNER + np.array([50, 0, 0]), TRIANGLE, 6, 3)
    assert len(outside.pixel) == 0
    assert (outside.scatter(np.zeros((0, 3)), 7.0) == 7).all()


def test_interpolation_of_a_linear_function_is_exact() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-5, 40, (60, 3))
    triangles = rng.integers(0, 60, (80, 3))
    coverage = rasterize(points, triangles, 32, 24, cull=False)
    values = coverage.interpolate(points @ np.array([[2.0], [-1], [0]]), triangles)[:, 0]
    column, row = coverage.pixel % 32 + 0.5, coverage.pixel // 32 + 0.5
    np.testing.assert_allclose(values, 2 * column - row, atol=2e-2)


def test_matches_a_plain_loop_over_pixels_and_triangles() -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(-4, 20, (30, 3)).astype(np.float32)
    triangles = rng.integers(0, 30, (25, 3))
    coverage = rasterize(points, triangles, 16, 16)
    seen = coverage.scatter(coverage.triangle, -1)
    for row in range(16):
        for column in range(16):
            nearest, best = -1, -np.inf
            for t, (a, b, c) in enumerate(points[triangles].astype(float)):
                matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
                if np.linalg.det(matrix) >= -1e-9:  # y points down: a front face has a negative determinant
                    continue
                weights = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1])
                depth = weights @ [a[2], b[2], c[2]]
                if (weights >= 0).all() and depth > best:
                    nearest, best = t, depth
            assert seen[row, column] == nearest


def test_a_closed_sheet_has_no_holes() -> None:
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(np.arange(21.0), np.arange(21.0)), -1).reshape(-1, 2)
    inner = (grid > 0).all(1) & (grid < 20).all(1)
    grid[inner] += rng.uniform(-0.3, 0.3, (inner.sum(), 2))
    corner = (np.arange(20)[:, None] * 21 + np.arange(20)).ravel()
    sheet = np.concatenate(
        [np.stack([corner, corner + 21, corner + 1], 1), np.stack([corner + 1, corner + 21, corner + 22], 1)]
    )
    points = np.concatenate([grid, np.zeros((441, 1))], 1)
    assert len(rasterize(points, sheet, 20, 20).pixel) == 400
