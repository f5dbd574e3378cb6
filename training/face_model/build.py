"""Builds the published face model from ICT-FaceKit light.

Keeps the first 50 identity modes and 46 expressions: ICT's 53 in their order without the eight eyeLook*, then one
bilateral eyeLookDown, at the 68 landmarks and on a light mesh of the narrow face. The inner 51 landmarks are the
source's own, the 17 of the jaw are JAW_VERTICES.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.face_model.ict_facekit import JAW_VERTICES, NARROW_FACE_VERTICES, landmarks_with, read_source
from training.face_model.light_mesh import light_mesh

MESH_VERTICES = 1400  # enough to draw lids and lips smoothly on a face of 300 pixels
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
