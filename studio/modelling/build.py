"""Builds a character: from the scan and a recipe to a .glb file."""

from pathlib import Path

import numpy as np

from studio.modelling import paint
from studio.modelling.character import NOTICE, Surface, write_character
from studio.modelling.eyes import eyeball
from studio.modelling.follow import Follower, swung
from studio.modelling.gltf import Document
from studio.modelling.growth import Ground, grow, joined
from studio.modelling.materials import Materials
from studio.modelling.motion import motion_of, rest_of, shape_of
from studio.modelling.parts import Piece
from studio.modelling.recipe import FOLDER, Recipe
from studio.modelling.scan import MOUTH, SKIN, TEETH, Scan
from studio.modelling.simplified import Simplified, simplified_mouth, simplified_skin
from studio.modelling.warp import Warp
from training.render.anatomy import find_anatomy, open_sky, smoothstep
from training.render.head import vertex_normals
from training.render.tongue import TONGUE

GUMS_LIGHTER = 1.6  # than the mouth's inside
THROAT, FRONT = 5.0, 10.5  # cm of depth z between which the mouth's inside grows light


class Foundation:
    """What all characters share: the scan, its anatomy, and the vertices that are kept."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.anatomy = find_anatomy(scan.head)
        self.skin = simplified_skin(scan, self.anatomy)
        self.mouth = simplified_mouth(scan)


def build(base: Foundation, name: str, out: Path) -> Path:
    """Writes the character of a recipe to the folder `out`, and returns the file's path."""
    scan, recipe = base.scan, Recipe.read(FOLDER / f"{name}.toml")
    warp = Warp(scan.eye_centres, float(scan.eye_radii.mean()), recipe.warp, recipe.eyes)
    rest = rest_of(scan, recipe)
    shaped = shape_of(scan, recipe, warp, rest)
    offsets = motion_of(scan, recipe, warp, rest, shaped, scan.neck_edge())
    skin, motion = shaped[SKIN], offsets[:, SKIN]

    document = Document({"copyright": NOTICE, "generator": "studio.modelling"})
    materials = Materials(document, recipe)
    canvas = paint.canvas_of(scan, base.anatomy, open_sky(skin, scan.skin))
    paint.paint(canvas, recipe.layers, recipe.occlusion, recipe.mouth)
    picture = document.add_image(paint.jpeg(paint.picture(canvas)), "image/jpeg", "skin")
    face = [
        kept_surface(skin, scan.skin, base.skin, motion, materials.add("skin", recipe.skin, picture)),
        kept_surface(
            shaped[MOUTH], scan.mouth - MOUTH.start, base.mouth, offsets[:, MOUTH], materials["wet"],
            mouth_colours(base, recipe),
        ),
    ]  # fmt: skip
    ground = Ground(scan, base.anatomy, warp, rest, skin, vertex_normals(skin, scan.skin))
    growth = grow(recipe, ground)
    for material, pieces in growth.following.items():
        piece, colour = joined(pieces)
        follower = Follower(piece.spine, skin)
        face.append(grown_surface(piece, colour, materials[material], np.stack([follower(row) for row in motion])))
    if growth.lashes:
        moved = []
        for (piece, _), centre in zip(growth.lashes, warp.eye_centres(), strict=True):
            follower = Follower(piece.spine, skin)
            moved.append(np.stack([swung(piece.points, piece.spine, follower(row), centre) for row in motion]))
        face.append(grown_surface(*joined(growth.lashes), materials["lashes"], np.concatenate(moved, axis=1)))
    fixed = {material: grown_surface(*joined(pieces), materials[material]) for material, pieces in growth.fixed.items()}
    globe, triangles, uv = eyeball(float(scan.eye_radii.mean()) * recipe.eyes.scale)
    eye = Surface(globe, vertex_normals(globe, triangles), triangles, materials.add_eye(recipe), uv)
    path = out / f"{name}.glb"
    write_character(path, document, face, fixed, eye, warp.eye_centres(), {"title": recipe.title})
    return path


def kept_surface(
    points: np.ndarray,
    triangles: np.ndarray,
    kept: Simplified,
    offsets: np.ndarray,
    material: int,
    colours: np.ndarray | None = None,
) -> Surface:
    """The kept vertices of a surface (V, 3), whose normals are those of the whole one. offsets: (52, V, 3)."""
    normals = vertex_normals(points, triangles)[kept.vertices]
    turned = np.zeros((len(offsets), *normals.shape), np.float32)
    for row in np.flatnonzero(offsets.any((1, 2))):
        turned[row] = vertex_normals(points + offsets[row], triangles)[kept.vertices] - normals
    uv = paint.atlas(kept.uv) if kept.uv is not None else None
    place = points[kept.vertices]
    return Surface(place, normals, kept.triangles, material, uv, colours, offsets[:, kept.vertices], turned)


def grown_surface(piece: Piece, colour: np.ndarray, material: int, offsets: np.ndarray | None = None) -> Surface:
    """A piece of linear colours (V, 3), with the motion (52, V, 3) of one that follows the face."""
    normals = vertex_normals(piece.points, piece.triangles)
    turned = None
    if offsets is not None:
        turned = np.stack([vertex_normals(piece.points + row, piece.triangles) - normals for row in offsets])
    return Surface(piece.points, normals, piece.triangles, material, None, colour_bytes(colour), offsets, turned)


def mouth_colours(base: Foundation, recipe: Recipe) -> np.ndarray:
    """(V, 4) uint8 of gums, tongue and teeth, darker toward the throat."""
    vertices = base.mouth.vertices + MOUTH.start
    colour = np.tile(GUMS_LIGHTER * paint.linear(recipe.mouth), (len(vertices), 1))
    colour[(vertices >= TONGUE.start) & (vertices < TONGUE.stop)] = paint.linear(recipe.tongue)
    colour[vertices >= TEETH.start] = paint.linear(recipe.teeth)
    light = 0.12 + 0.88 * smoothstep(base.scan.points[vertices, 2], THROAT, FRONT)
    return colour_bytes(colour * light[:, None])


def colour_bytes(linear: np.ndarray) -> np.ndarray:
    """(V, 4) uint8 of linear colours (V, 3): glTF's vertex colours are linear."""
    return np.column_stack([np.round(np.clip(linear, 0, 1) * 255), np.full(len(linear), 255)]).astype(np.uint8)
