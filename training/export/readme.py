"""What a TFLite file says in words: how to prepare its picture and how to read its outputs, as service/ does."""

from service.vision.decoding import FACE_HEIGHT_CM, LOG_LIMIT
from service.vision.letterbox import PAD_GREY
from training.data.crops import CROP_FACTOR
from training.networks.layers import ZERO_LEVEL

FULL_NAMES = {"mfn": "MFN: every face of a picture", "sfn": "SFN: one face in its crop"}

PREPARATION = {
    "mfn": "A picture, scaled to fit into these pixels and put in their middle; what is left around it is grey "
    f"{PAD_GREY}.",
    "sfn": f"One face, turned upright: a square about the middle of its 68 landmarks' box, {CROP_FACTOR:g} times as "
    f"wide as the longer side of that box. What lies outside the picture is grey {PAD_GREY}.",
}
AS_BYTES = "Grey levels as they are, uint8."
AS_FLOATS = f"Normalised, float32: (grey level - {ZERO_LEVEL:g}) / {ZERO_LEVEL:g}."

OUTPUTS = {
    "detection": "dx, dy, dw, dh and a logit. The face's box has the centre (cx + dx width, cy + dy height), the width "
    "width exp(dw) and the height height exp(dh); its score is the logit's sigmoid.",
    "pose": "r0 to r6. The quaternion x, y, z, w = r0, r1, r2, r3 + 1, made a unit, turns the head to the camera (x "
    "right, y up, z to the viewer). With s = sqrt(width height) the head's origin is seen at (cx + r4 s, cy + r5 s), "
    f"and one centimetre of it is s exp(r6) / {FACE_HEIGHT_CM:g} pixels long.",
    "identity": "50 weights of the identity modes of ICT-FaceKit, in standard deviations.",
    "expression": "46 logits. Their sigmoids are the blendshapes' coefficients, 0 to 1, in the order of "
    "expression_names.txt.",
    "gaze": "8 logits. Their sigmoids are ARKit's eyeLook coefficients, 0 to 1, in the order of gaze_names.txt.",
}


ROWS = (
    "Outputs, float32. Each has a row for each prior, in the order of anchors.csv: cx, cy, width and height in pixels "
    "of the input, y pointing down. A row tells how a face differs from that prior:"
)
LIMITS = f"Arguments of exp are to be held within {-LOG_LIMIT:g} and {LOG_LIMIT:g}."
SUPPRESSION = "Several priors answer for one face: of boxes that overlap keep the one with the best score."


def input_description(kind: str, side: int, takes_bytes: bool) -> str:
    """How to prepare a network's input, in words."""
    return f"RGB, {side} x {side}. {PREPARATION[kind]} {AS_BYTES if takes_bytes else AS_FLOATS}"


def readme(title: str, kind: str, side: int, takes_bytes: bool, outputs: list[str]) -> str:
    """README.txt of a file."""
    parts = [title, f"Input image\n{input_description(kind, side, takes_bytes)}", ROWS]
    parts += [f"{name}\n{OUTPUTS[name]}" for name in outputs]
    parts.append(f"{LIMITS} {SUPPRESSION}" if "detection" in outputs else LIMITS)
    return "\n\n".join(parts) + "\n"
