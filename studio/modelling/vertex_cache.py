"""Orders a mesh for the GPU: triangles so that a vertex that was just transformed is used again while it is still in
the cache, and vertices as triangles first need them.

Triangles are chosen one by one, the best of those at the cached vertices first: Forsyth, Linear-speed vertex cache
optimisation (2006), whose constants these are. The order suits caches of any size and policy.
"""

import numpy as np

CACHE = 32  # vertices of the cache that is modelled: least recently used go first
NEWEST_SCORE = 0.75  # of the three vertices of the last triangle: less than older ones, lest strips grow long and thin
CACHE_POWER = 1.5  # by which the score falls with a vertex' age
VALENCE_SCALE, VALENCE_POWER = 2.0, 0.5  # a vertex that few triangles still need is done with first


def cache_order(triangles: np.ndarray) -> np.ndarray:
    """The triangles (T, 3) in another order, each with its corners as they were."""
    corners: list[list[int]] = triangles.tolist()
    waiting: list[set[int]] = [set() for _ in range(int(triangles.max()) + 1)]  # triangles of each vertex
    for triangle, vertices in enumerate(corners):
        for vertex in vertices:
            waiting[vertex].add(triangle)
    score = [_score(None, len(triangles_left)) for triangles_left in waiting]
    cache: list[int] = []
    left = dict.fromkeys(range(len(corners)))
    order: list[int] = []
    while left:
        near = {triangle for vertex in cache for triangle in waiting[vertex]} or left
        best = max(near, key=lambda triangle: (sum(score[vertex] for vertex in corners[triangle]), -triangle))
        order.append(best)
        del left[best]
        for vertex in corners[best]:
            waiting[vertex].discard(best)
        cache = corners[best] + [vertex for vertex in cache if vertex not in corners[best]]
        for place, vertex in enumerate(cache):
            score[vertex] = _score(place if place < CACHE else None, len(waiting[vertex]))
        del cache[CACHE:]
    return triangles[order]


def _score(place: int | None, triangles_left: int) -> float:
    """How much a vertex wants to be used next. place: in the cache, 0 the newest; None of one that is not in it."""
    if not triangles_left:
        return 0.0
    if place is None:
        cached = 0.0
    elif place < 3:
        cached = NEWEST_SCORE
    else:
        cached = (1 - (place - 3) / (CACHE - 3)) ** CACHE_POWER
    return float(cached + VALENCE_SCALE * triangles_left**-VALENCE_POWER)


def fetch_order(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (V,) that triangles (T, 3) use, in order of first use, and the triangles by their places there."""
    used, first, inverse = np.unique(triangles, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return used[order], place[inverse.reshape(triangles.shape)]
