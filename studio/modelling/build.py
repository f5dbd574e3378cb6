"""Builds a character from the scan and a recipe."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from service.vision.arkit import ARKIT_NAMES
from studio.modelling.character import NOTICE, Surface, write_character
from studio.modelling.eyes import eyeball
from studio.modelling.gltf import Document
from studio.modelling.scan import MOUTH, SKIN, Scan
from studio.modelling.simplify import Simplifier
from training.render.head import vertex_normals

RECIPES = ("human",)
POSES = (
    (), ("jawOpen",), ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight"), ("mouthPucker",),
    ("eyeBlinkLeft", "eyeBlinkRight"), ("jawOpen", "mouthClose", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    ("mouthRollLower", "mouthRollUpper", "noseSneerLeft", "noseSneerRight", "browDownLeft", "browDownRight"),
    ("eyeWideLeft", "eyeWideRight", "mouthStretchLeft", "mouthStretchRight"),
)


def wedges(triangles, uv):
    corners = np.concatenate([triangles.reshape(-1, 1), np.round(uv.reshape(-1, 2) * 2**16)], axis=1)
    unique, inverse = np.unique(corners, axis=0, return_inverse=True)
    return unique[:, 0].astype(int), unique[:, 1:] / 2**16, inverse.reshape(-1, 3)


def build(scan: Scan, name: str, out: Path) -> None:
    points = scan.points.copy()
    offsets = scan.blendshapes
    poses = np.stack([points[SKIN] + sum((offsets[ARKIT_NAMES.index(n)][SKIN] for n in pose), np.zeros(3, np.float32)) for pose in POSES])
    pairs, uv, corner = wedges(scan.skin, scan.skin_uv)
    count = np.bincount(pairs, minlength=SKIN.stop)
    edges = np.sort(np.concatenate([scan.skin[:, [0, 1]], scan.skin[:, [1, 2]], scan.skin[:, [2, 0]]]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    frozen = count > 1
    frozen[unique[uses == 1]] = True
    frozen |= frozen[scan.mirror]
    importance = np.ones(SKIN.stop)
    simplifier = Simplifier(poses, scan.skin, scan.mirror, importance, frozen)
    simplifier.reduce(range(SKIN.stop), 5200)
    kept_keys = np.array(sorted(simplifier.triangles))
    triangles = np.array([simplifier.triangles[k] for k in kept_keys])
    # a corner's texture coordinates: of the chart that its triangle was in
    chart = scan.skin_uv[:, :, 0].mean(1) > 1
    kept_uv = np.zeros((len(triangles), 3, 2))
    table = {}
    for t, c in zip(scan.skin, scan.skin_uv):
        for v, q in zip(t, c):
            table.setdefault(int(v), []).append(q)
    for row, (key, t) in enumerate(zip(kept_keys, triangles)):
        near = scan.skin_uv[key].mean(0)
        for k, v in enumerate(t):
            options = np.array(table[int(v)])
            kept_uv[row, k] = options[np.argmin(((options - near) ** 2).sum(1))]
    vertex, uv, triangles = wedges(triangles, kept_uv)
    print(len(vertex), len(triangles))
    skin_points = points[SKIN]
    normals = vertex_normals(skin_points, scan.skin)
    turned = np.stack([vertex_normals(skin_points + o[SKIN], scan.skin) - normals for o in offsets])
    document = Document({"copyright": NOTICE, "generator": "studio.modelling"})
    def material(name, colour, rough, **more):
        return document.add("materials", {"name": name, "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1], "metallicFactor": 0, "roughnessFactor": rough}, **more})
    skin = material("skin", (0.72, 0.46, 0.35), 0.55)
    mouthm = material("mouth", (1, 1, 1), 0.35)
    faces = [Surface("skin", skin_points[vertex], normals[vertex], triangles, skin, uv=None, offsets=offsets[:, SKIN][:, vertex], turned=turned[:, vertex])]
    mouth_points = points[MOUTH]
    mt = scan.mouth - MOUTH.start
    mn = vertex_normals(mouth_points, mt)
    mo = offsets[:, MOUTH]
    simp = Simplifier(np.stack([mouth_points, mouth_points + mo[-1]]), mt, np.arange(len(mn)), np.ones(len(mn)), np.zeros(len(mn), bool))
    simp.reduce(range(len(mn)), 1500)
    mtri = np.array([simp.triangles[k] for k in sorted(simp.triangles)])
    mv, inv = np.unique(mtri, return_inverse=True)
    colours = np.full((len(mv), 4), 255, np.uint8)
    colours[:, :3] = np.where((mv + MOUTH.start >= 17039)[:, None], [215, 205, 185], np.where((mv + MOUTH.start >= 16611)[:, None], [150, 50, 50], [130, 40, 38]))
    mturn = np.stack([vertex_normals(mouth_points + o, mt) - mn for o in mo])
    faces.append(Surface("mouth", mouth_points[mv], mn[mv], inv.reshape(-1, 3), mouthm, colours=colours, offsets=mo[:, mv], turned=mturn[:, mv]))
    eyes = []
    size = 256
    yy, xx = np.mgrid[:size, :size]
    r = np.hypot(xx - size / 2 + .5, yy - size / 2 + .5) / (size / 2) * np.radians(105)
    img = np.full((size, size, 3), 235.)
    img[r < 0.48] = (70, 110, 140); img[r < .2] = 8
    buf = io.BytesIO(); Image.fromarray(img.astype(np.uint8)).save(buf, "PNG", optimize=True)
    tex = document.add_image(buf.getvalue(), "image/png", "eye")
    eyem = document.add("materials", {"name": "eye", "pbrMetallicRoughness": {"baseColorTexture": {"index": tex}, "metallicFactor": 0, "roughnessFactor": .08}})
    for side, radius in zip(("eye_left", "eye_right"), scan.eye_radii):
        p, t, q = eyeball(radius * .985)
        eyes.append(Surface(side, p, vertex_normals(p, t), t, eyem, uv=q))
    write_character(out / f"{name}.glb", document, faces, [], scan.eye_centres, eyes, {})
    path = out / f"{name}.glb"
    import zlib
    print(path.stat().st_size, len(zlib.compress(path.read_bytes(), 6)))
