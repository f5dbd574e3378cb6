"""Reference answers of the published networks, to hold the served ones against: `python -m training.scripts.reference`.

Runs the weights in models/weights/, arranged as all forms are (training.export.inference_graph), with torch on
tests/pictures/five_faces.webp and decodes the raw outputs with training.networks.decoding, so that neither ONNX nor the
service's decoding has a part in the numbers. To be run again after each
export. Writes tests/service/inference/reference_faces.json:

    networks  {"mfn", "sfn"}: sha256 of the ONNX files that were published with these weights
    mfn       the best candidate of each face in descending score: score, box [x1, y1, x2, y2], quaternion, origin
              [x, y], scale, identity, expression, in pixels of the network's input
    merged    the same faces, each the mean of the candidates that see it
    sfn       a look at each of them: crop {"centre", "side", "roll"} as in service.vision.crops.Crop; quaternion,
              identity, expression, gaze and the 68 landmarks of the head as it stands in the picture, in pixels of it
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.crops import Crop, crops_of
from service.vision.image import decode
from service.vision.letterbox import Letterbox
from service.vision.resampling import by_pillow
from service.vision.voting import VOTE_SCORE_RATIO
from training.export.calibration import FILE as CALIBRATION
from training.export.calibration import read_pictures
from training.export.inference_graph import InferenceGraph
from training.export.onnx_float import OUTPUTS
from training.networks.decoding import Landmarks, decode_boxes, decode_pose, priors_of
from training.networks.outputs import FaceNetwork, Level
from training.networks.variants import MULTIPLE, SINGLE
from training.networks.weights import load_weights

PICTURE = Path("tests/pictures/five_faces.webp")
OUT = Path("tests/service/inference/reference_faces.json")
MIN_SCORE, NMS_IOU = 0.5, 0.5  # the service's defaults
BOX_POWER = 2  # service.vision.voting's
DIGITS = 5

Pixels = NDArray[np.uint8]  # (H, W, 3)


def published(network: FaceNetwork, kind: str, models: Path) -> InferenceGraph:
    """The network with its weights, as published."""
    load_weights(network, models / "weights" / f"{kind}.npz")
    return InferenceGraph(network, OUTPUTS[kind], read_pictures(models / CALIBRATION, kind, network.input_size))


def pixels(image: Pixels) -> Tensor:
    """(1, H, W, 3) uint8 of (H, W, 3)."""
    return torch.from_numpy(image.copy())[None]


def mfn_faces(
    network: InferenceGraph, levels: tuple[Level, ...], square: Pixels
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The best candidate of each face, and the faces merged."""
    detection, pose, identity, expression = (output[0] for output in network(pixels(square)))
    priors = priors_of(levels, network.side)
    score, boxes = torch.sigmoid(detection[:, 4]), decode_boxes(detection, priors)
    poses = decode_pose(pose, priors)
    candidates = {
        "score": score,
        "box": boxes,
        "quaternion": poses.quaternion * torch.sign(poses.quaternion[:, 3:]),
        "origin": poses.origin,
        "scale": poses.scale,
        "identity": identity,
        "expression": torch.sigmoid(expression),
    }
    best = best_of_each(score, boxes)
    merged = [merged_face(candidates, witnesses(score, boxes, i)) for i in best]
    return [{name: values[i] for name, values in candidates.items()} for i in best], merged


def witnesses(score: Tensor, boxes: Tensor, best: int) -> Tensor:
    """Candidates that see the same face as the best one; faces in the picture do not overlap."""
    low, high = boxes[:, :2].maximum(boxes[best, :2]), boxes[:, 2:].minimum(boxes[best, 2:])
    both = (high - low).clamp(min=0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    alike = both / (areas + areas[best] - both) > NMS_IOU
    return (alike & (score >= VOTE_SCORE_RATIO * score[best])).nonzero()[:, 0]


def merged_face(candidates: dict[str, Tensor], members: Tensor) -> dict[str, Any]:
    """The mean of candidates, each counting by its score, its box by a power of the score; of scales the geometric
    one."""
    score = candidates["score"][members]
    mean = {}
    for name, values in candidates.items():
        weight = score**BOX_POWER if name == "box" else score
        shown = values[members].log() if name == "scale" else values[members]
        mean[name] = torch.tensordot(weight, shown, dims=1) / weight.sum()
    return mean | {
        "score": score.max(),
        "quaternion": mean["quaternion"] / mean["quaternion"].norm(),
        "scale": mean["scale"].exp(),
    }


def best_of_each(score: Tensor, boxes: Tensor) -> list[int]:
    """The best box on each face above MIN_SCORE: those that hold no better one's centre in their own."""
    kept: list[int] = []
    for i in torch.argsort(score, descending=True).tolist():
        if score[i] < MIN_SCORE:
            break
        centres = (boxes[kept, :2] + boxes[kept, 2:]) / 2
        inside = ((centres > boxes[i, :2]) & (centres < boxes[i, 2:])).all(1)
        if not inside.any():
            kept.append(i)
    return kept


def sfn_face(network: InferenceGraph, landmarks: Landmarks, crop: Crop, sample: Pixels) -> dict[str, Any]:
    """The reference answer of the single face network to one crop."""
    size = network.side
    pose, identity, expression, gaze = network(pixels(sample))
    expression = torch.sigmoid(expression)
    seen = decode_pose(pose, torch.tensor([[size / 2, size / 2, size, size]]))
    # The crop is the picture turned clockwise by roll: what is right in the crop lies that much further up in the
    # picture, whose y points down.
    angle = np.radians(crop.roll)
    turn = torch.tensor([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    offset = (landmarks(seen, identity, expression)[0] - size / 2) * (crop.side / size)
    x, y, z, w = seen.quaternion[0].tolist()
    s, c = np.sin(angle / 2), np.cos(angle / 2)
    quaternion = torch.tensor([c * x - s * y, c * y + s * x, c * z + s * w, c * w - s * z])  # (0, 0, s, c) times it
    return {
        "crop": {"centre": torch.from_numpy(np.asarray(crop.centre)), "side": crop.side, "roll": crop.roll},
        "quaternion": quaternion * torch.sign(quaternion[3]),
        "identity": identity[0],
        "expression": expression[0],
        "gaze": torch.sigmoid(gaze[0]),
        "landmarks": offset @ turn.T + torch.tensor(np.asarray(crop.centre), dtype=torch.float32),
    }


def plain(value: Any) -> Any:
    """JSON's own types, rounded."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, Tensor):
        return plain(value.tolist())
    return round(value, DIGITS) if isinstance(value, float) else value


@by_pillow()
def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--mfn-variant", choices=MULTIPLE, default="mfn")
    parser.add_argument("--sfn-variant", choices=SINGLE, default="sfn")
    args = parser.parse_args()
    torch.set_num_threads(1)

    models = Models.load(args.models, Execution(precision="float32"))
    multiple = MULTIPLE[args.mfn_variant]()
    mfn = published(multiple, "mfn", args.models)
    sfn = published(SINGLE[args.sfn_variant](), "sfn", args.models)
    landmarks = Landmarks.load(args.models / "face_model.npz")

    picture = decode(PICTURE.read_bytes(), 10**6, 25.0)
    square = Letterbox.fit(picture.width, picture.height, models.side).apply(picture.pixels)
    found = Pipeline(models).retarget_picture(picture, RetargetOptions()).faces
    # Where to look closer is the input of the second network; how it was chosen is nothing to the decoding.
    crops = [
        Crop(np.round(crop.centre, 1), round(crop.side, 1), round(crop.roll, 1))
        for crop in crops_of(found, models.face_model, picture.width, picture.height, models.crop_factor)
    ]
    with torch.inference_mode():
        best, merged = mfn_faces(mfn, multiple.levels, square)
        reference = {
            "networks": {name: file.sha256 for name, file in models.files.items()},
            "mfn": best,
            "merged": merged,
            "sfn": [sfn_face(sfn, landmarks, crop, crop.sample(picture)) for crop in crops],
        }
    OUT.write_text(json.dumps(plain(reference), separators=(",", ":")).replace('{"', '\n{"') + "\n")
    print(f"{OUT}: {len(reference['mfn'])} faces, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
