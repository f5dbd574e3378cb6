"""Builds models/face_model.npz from ICT-FaceKit light: `python -m training.scripts.build_face_model ict_facekit.npz`.

Keeps the first 50 identity modes and 46 expressions: ICT's 53 in their order without the eight eyeLook*, then one
bilateral eyeLookDown, at the 68 landmarks and on a light mesh of the narrow face. The light mesh keeps a subset of the
vertices, spread evenly over the surface, so that every blendshape holds on it exactly. The inner 51 landmarks are the
source's own, the 17 of the jaw are JAW_VERTICES.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, LinearShape

NARROW_FACE_VERTICES = 6706  # ICT's vertices 0 to 6705
MESH_VERTICES = 1400  # enough to draw lids and lips smoothly on a face of 300 pixels
# on the jaw in depth, too, so that they stay on it when the head turns (training/labels/jaw_vertices.py chooses them)
JAW_VERTICES = (
    *(8160, 7873, 7434, 7890, 823, 1831, 790, 2196),
    969,
    *(4387, 3031, 4033, 3064, 7163, 6707, 7146, 8436),
)
LICENSE = """The face model in face_model.npz is derived from ICT-FaceKit light
(a subset of its vertices, 50 identity modes, 45 expressions and their combination eyeLookDown).

MIT License

Copyright (c) 2020 USC Institute for Creative Technologies

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def expression_basis(names: list[str], offsets: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The 46 names and offsets (46, V, 3) from ICT's 53 names and offsets (53, V, 3)."""
    kept = [i for i, name in enumerate(names) if not name.startswith("eyeLook")]
    look_down = offsets[names.index("eyeLookDown_L")] + offsets[names.index("eyeLookDown_R")]
    return [names[i] for i in kept] + ["eyeLookDown"], np.concatenate([offsets[kept], look_down[None]])


def light_mesh(vertices: np.ndarray, triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Picks `count` vertices spread evenly over the surface, with triangles between neighbours.

    vertices: (V, 3). triangles: (T, 3). Returns the picked vertices' indices (count,) and triangles (S, 3) into them.
    Vertices are picked farthest first by distance along the edges, open borders (lids, lips, outline) before the
    rest, so that these stay sharp; each picked vertex owns the region nearest to it, and a triangle whose corners lie
    in three regions becomes a triangle between their owners (the dual of the geodesic Voronoi diagram).
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    lengths = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    graph = coo_matrix((lengths, edges.T), (len(vertices),) * 2).tocsr()
    graph = graph.maximum(graph.T)

    undirected, uses = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    border = np.unique(undirected[uses == 1])
    inside_weight = np.full(len(vertices), 1.0)
    inside_weight[border] = 1.8  # a border vertex counts as farther away, so borders are sampled more densely

    picked = [int(border[0])]
    distance = dijkstra(graph, directed=False, indices=picked[0])
    while len(picked) < count:
        picked.append(int(np.argmax(np.where(np.isfinite(distance), distance * inside_weight, -1))))
        reach = float(distance.max(where=np.isfinite(distance), initial=0))
        distance = np.minimum(distance, dijkstra(graph, directed=False, indices=picked[-1], limit=reach))
    _, _, owner = dijkstra(graph, directed=False, indices=picked, min_only=True, return_predecessors=True)

    index_of = np.full(len(vertices), -1)
    index_of[picked] = np.arange(count)
    corners = index_of[owner[triangles]]
    distinct = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2]) & (corners[:, 2] != corners[:, 0])
    corners = corners[distinct]
    _, first = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    return np.array(picked), corners[np.sort(first)].astype(np.int32)


@dataclass(frozen=True)
class Source:
    """ICT-FaceKit light with the coefficients that are kept. shape: all of its V vertices. names: (46,). triangles:
    (T, 3). landmarks: (68,) vertices, those of the jaw right as seen from the front only."""

    shape: LinearShape
    names: list[str]
    triangles: np.ndarray
    landmarks: np.ndarray


def read_source(path: Path) -> Source:
    """Raises SystemExit where the expressions are not ICT's."""
    with np.load(path, allow_pickle=False) as source:
        names, expression = expression_basis(list(source["expression_names"]), source["expression"].astype(np.float32))
        shape = LinearShape(
            mean=source["mean"].astype(np.float32),
            identity=source["identity"][:IDENTITY_MODES].astype(np.float32),
            expression=expression,
        )
        triangles, landmarks = source["triangles"], source["landmarks68"]
    if len(names) != EXPRESSIONS:
        raise SystemExit(f"{path}: expected {EXPRESSIONS} expressions after the selection, found {len(names)}")
    return Source(shape, names, triangles, landmarks)


def landmarks_with(jaw: Sequence[int], landmarks: np.ndarray) -> np.ndarray:
    """(68,) vertices: 17 of the jaw and the inner 51 of landmarks (68,)."""
    return np.concatenate([jaw, landmarks[len(jaw) :]])


def build(source_path: Path, out: Path, jaw: Sequence[int] = JAW_VERTICES) -> None:
    """Writes the face model to `out` with the 17 jaw points at the vertices `jaw`, and its notice beside it."""
    source = read_source(source_path)
    mean, identity, expression = source.shape.mean, source.shape.identity, source.shape.expression
    triangles = source.triangles
    landmarks = landmarks_with(jaw, source.landmarks)

    narrow = triangles[(triangles < NARROW_FACE_VERTICES).all(axis=1)]
    mesh, mesh_triangles = light_mesh(mean[:NARROW_FACE_VERTICES], narrow, MESH_VERTICES)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        landmarks_mean=mean[landmarks],
        landmarks_identity=identity[:, landmarks],
        landmarks_expression=expression[:, landmarks],
        mesh_mean=mean[mesh],
        mesh_identity=identity[:, mesh].astype(np.float16),
        mesh_expression=expression[:, mesh].astype(np.float16),
        triangles=mesh_triangles,
        expression_names=np.array(source.names),
        license=np.array(LICENSE),
    )
    out.with_suffix(".LICENSE").write_text(LICENSE)
    print(f"{out}: {len(mesh)} vertices, {len(mesh_triangles)} triangles, {out.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="ict_facekit.npz")
    parser.add_argument("--out", type=Path, default=Path("models/face_model.npz"))
    args = parser.parse_args()
    build(args.source, args.out)


if __name__ == "__main__":
    main()
