"""Assembles a character: its shape, what its face does, what it looks like, and its bones, into one .glb file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from studio.modelling.gltf import Document
from studio.modelling.rig import HEAD, JOINTS, NECK, ORIGIN, skin_weights
from studio.modelling.vertex_cache import cache_order, fetch_order

METRES = 0.01  # in a cm
STILL = 0.002  # cm; a vertex that moves less stays, and takes no place in the file
NORMAL_STILL = 0.03  # by which a unit normal changes at least to be told
# Numbers are rounded, so that files compress: metres of a place (0.008 mm) and of an offset (0.015 mm), normals and
# their changes, texture coordinates.
PLACE_STEP, OFFSET_STEP = 2.0**-17, 2.0**-16
NORMAL_STEP, TURN_STEP = 2.0**-9, 2.0**-6
UV_STEP = 2.0**-14

NOTICE = "Copyright (c) 2020 USC Institute for Creative Technologies, MIT"


@dataclass(frozen=True)
class Surface:
    """A surface of one material that moves with the face.

    points, normals: (V, 3), cm. uv: (V, 2), v down. colours: (V, 4) uint8, what multiplies the texture, or None.
    triangles: (T, 3). offsets, turned: (52, V, 3), by which points move and normals change at weight 1, or None of a
    surface that keeps its shape. material: its name among the document's.
    """

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    material: int
    uv: np.ndarray | None = None
    colours: np.ndarray | None = None
    offsets: np.ndarray | None = None
    turned: np.ndarray | None = None

    def in_draw_order(self) -> "Surface":
        """The surface with triangles and vertices in the order in which a GPU is fastest."""
        vertices, triangles = fetch_order(cache_order(self.triangles))
        return replace(
            self,
            points=self.points[vertices],
            normals=self.normals[vertices],
            triangles=triangles,
            uv=None if self.uv is None else self.uv[vertices],
            colours=None if self.colours is None else self.colours[vertices],
            offsets=None if self.offsets is None else self.offsets[:, vertices],
            turned=None if self.turned is None else self.turned[:, vertices],
        )


def add_surface(
    document: Document, surface: Surface, origin: np.ndarray, *, skinned: bool = False
) -> dict[str, object]:
    """The glTF primitive of a surface, in metres about an origin (3,) cm. skinned: whether it bends with the neck."""
    surface = surface.in_draw_order()
    points = rounded((surface.points - origin) * METRES, PLACE_STEP)
    attributes = {
        "POSITION": document.add_attribute(points, bounds=True),
        "NORMAL": document.add_attribute(rounded(surface.normals, NORMAL_STEP)),
    }
    if surface.uv is not None:
        attributes["TEXCOORD_0"] = document.add_attribute(rounded(surface.uv, UV_STEP))
    if surface.colours is not None:
        attributes["COLOR_0"] = document.add_attribute(surface.colours, normalized=True)
    if skinned:
        weights = quantized_weights(skin_weights(surface.points))
        index = np.where(weights > 0, np.arange(4, dtype=np.uint8), 0).astype(np.uint8)
        attributes["JOINTS_0"] = document.add_attribute(index)
        attributes["WEIGHTS_0"] = document.add_attribute(weights, normalized=True)
    primitive: dict[str, object] = {
        "attributes": attributes,
        "indices": document.add_indices(surface.triangles),
        "material": surface.material,
    }
    if surface.offsets is not None and surface.turned is not None:
        primitive["targets"] = add_targets(document, surface.offsets, surface.turned)
    return primitive


def add_targets(document: Document, offsets: np.ndarray, turned: np.ndarray) -> list[dict[str, int]]:
    """Morph targets of offsets (52, V, 3) in cm and changes of the normals (52, V, 3).

    Those that move nothing are one and the same, which tells that the first vertex stays: an accessor without any
    bytes would be right as well, but UnityGLTF ends with an error there, and Unreal takes it for a compressed one.
    """
    moves = (np.linalg.norm(offsets, axis=2) >= STILL) | (np.linalg.norm(turned, axis=2) >= NORMAL_STILL)
    still: dict[str, int] | None = None
    targets = []
    for offset, turn, move in zip(offsets, turned, moves, strict=True):
        if move.any():
            targets.append(add_target(document, np.flatnonzero(move), offset, turn))
        else:
            still = still or add_target(document, np.zeros(1, int), np.zeros_like(offset), np.zeros_like(turn))
            targets.append(still)
    return targets


def add_target(document: Document, kept: np.ndarray, offsets: np.ndarray, turned: np.ndarray) -> dict[str, int]:
    """A morph target that tells offsets (V, 3) in cm and changes of the normals (V, 3) at the vertices kept (K,)."""
    position, normal = rounded(offsets[kept] * METRES, OFFSET_STEP), rounded(turned[kept], TURN_STEP)
    return document.add_sparse(kept, {"POSITION": position, "NORMAL": normal}, len(offsets))


def rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Values rounded to multiples of a step, float32."""
    return (np.round(values / step) * step).astype(np.float32)


def quantized_weights(weights: np.ndarray) -> np.ndarray:
    """(V, 4) uint8 of weights (V, 3) that add up to 1; the bytes add up to 255."""
    whole = np.zeros((len(weights), 4), np.uint8)
    whole[:, :3] = np.round(weights * 255)
    rest = 255 - whole.sum(1, dtype=np.int64)
    row = np.arange(len(whole))
    largest = whole.argmax(1)
    whole[row, largest] = whole[row, largest] + rest
    return whole


def add_rig(document: Document, eyes: np.ndarray) -> dict[str, int]:
    """The nodes root > neck > head > eye_left, eye_right, by name; eyes: (2, 3) cm, the eyeballs' centres."""

    def node(name: str, at: np.ndarray, parent: np.ndarray, children: list[int]) -> int:
        value: dict[str, object] = {
            "name": name,
            "translation": [float(x) for x in np.round((at - parent) * METRES, 6)],
        }
        if children:
            value["children"] = children
        return document.add("nodes", value)

    nodes = {name: node(name, eye, HEAD, []) for name, eye in zip(("eye_left", "eye_right"), eyes, strict=True)}
    nodes["head"] = node("head", HEAD, NECK, list(nodes.values()))
    nodes["neck"] = node("neck", NECK, ORIGIN, [nodes["head"]])
    nodes["root"] = node("root", ORIGIN, ORIGIN, [nodes["neck"]])
    return nodes


def add_skin(document: Document, nodes: dict[str, int]) -> int:
    """The skin whose joints are JOINTS."""
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(JOINTS), 1, 1))
    for row, at in enumerate((ORIGIN, NECK, HEAD)):
        inverse[row, :3, 3] = -np.round((at - ORIGIN) * METRES, 6)
    return document.add(
        "skins",
        {
            "joints": [nodes[name] for name in JOINTS],
            "skeleton": nodes["root"],
            "inverseBindMatrices": document.add_matrices(inverse),
        },
    )


def write_character(
    path: Path,
    document: Document,
    face: list[Surface],
    fixed: dict[str, Surface],
    eye: Surface,
    centres: np.ndarray,
    extras: dict[str, object],
) -> None:
    """Writes a character.

    face: surfaces that move with the face and bend with the neck. fixed: those that keep their shape and go with the
    head, by material. eye: an eyeball about its own centre. centres: (2, 3) cm, of the left and the right eye. extras:
    the scene's.
    """
    nodes = add_rig(document, centres)

    def add_mesh(name: str, primitives: list[dict[str, object]], **more: object) -> int:
        return document.add("meshes", {"name": name, "primitives": primitives, **more})

    globe = add_surface(document, eye, np.zeros(3))
    for name in ("eye_left", "eye_right"):
        document.json["nodes"][nodes[name]]["mesh"] = add_mesh(name, [globe])
    if fixed:
        mesh = add_mesh("growth", [add_surface(document, surface, HEAD) for surface in fixed.values()])
        growth = document.add("nodes", {"name": "growth", "mesh": mesh})
        document.json["nodes"][nodes["head"]]["children"].append(growth)
    primitives = [add_surface(document, surface, ORIGIN, skinned=True) for surface in face]
    names: dict[str, object] = {"targetNames": list(ARKIT_NAMES)}
    mesh = add_mesh("face", primitives, weights=[0] * len(ARKIT_NAMES), extras=names)
    # A skinned mesh goes where its joints go, whatever its node's parents: it belongs at the scene's root.
    node = document.add("nodes", {"name": "face", "mesh": mesh, "skin": add_skin(document, nodes)})
    scene = {"name": path.stem, "nodes": [nodes["root"], node], "extras": extras}
    document.json["scene"] = document.add("scenes", scene)
    document.write(path)
