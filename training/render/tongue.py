"""The tongue of ICT-FaceKit's mouth, put out over the lower teeth and lip as ARKit's tongueOut does.

The mesh has a tongue and no blendshape for it. It is bent here along a curve in its middle plane, in the frame of the
closed jaw, and then follows the jaw as it did before.
"""

import numpy as np

from training.render.anatomy import smoothstep

TONGUE = slice(16611, 17039)  # vertices: the last of the mouth's material, of their own but for the root's seam
ROOT, TIP = 4.0, 9.75  # cm of depth z of the resting tongue: what lies behind the root stays
MIDDLE = -3.95  # cm of height y of the resting tongue's middle
# The tongue's middle line when it is out: share of the way from root to tip, depth z and height y in cm. It clears
# the lower teeth, whose edge is at z 10.6 and y -3.4, and the lip at z 11.3, and droops beyond it.
OUT = np.array([[0, 4.0, -3.95], [0.35, 6.6, -3.75], [0.6, 9.4, -3.1], [0.78, 11.2, -2.9], [0.91, 12.3, -3.45],
                [1.0, 12.8, -4.2]])  # fmt: skip
THIN, NARROW = 0.55, 0.85  # of its thickness and width that are left at the tip
OPEN = (0.15, 0.4)  # jawOpen less mouthClose between which the mouth lets the tongue out


def let_out(tongue: float, jaw_open: float, mouth_close: float) -> float:
    """How far the tongue comes out, 0 to 1: not through a closed mouth."""
    return tongue * float(smoothstep(np.array(jaw_open - mouth_close), *OPEN))


def tongue_shift(resting: np.ndarray, out: float) -> np.ndarray:
    """(V, 3) cm by which the tongue's vertices move from where they rest (V, 3), head frame, jaw closed, when it is out
    by 0 to 1."""
    x, y, z = resting.astype(np.float64).T
    along = np.clip((z - ROOT) / (TIP - ROOT), 0, 1)
    share, depth, height = OUT.T
    ahead, behind = np.clip(along + 0.04, 0, 1), np.clip(along - 0.04, 0, 1)
    slope = np.stack([np.interp(ahead, share, line) - np.interp(behind, share, line) for line in (depth, height)])
    slope /= np.maximum(np.linalg.norm(slope, axis=0), 1e-9)
    thickness = (y - MIDDLE) * (1 - (1 - THIN) * smoothstep(along, 0.3, 1))
    target = np.stack(
        [
            x * (1 - (1 - NARROW) * along),
            np.interp(along, share, height) + thickness * slope[0],
            np.interp(along, share, depth) - thickness * slope[1],
        ],
        axis=1,
    )
    shift: np.ndarray = ((target - resting) * (out * smoothstep(along, 0, 0.3))[:, None]).astype(np.float32)
    return shift
