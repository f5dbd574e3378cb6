"""A light mesh over a subset of a surface's vertices, so that every blendshape holds on it exactly."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra


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
