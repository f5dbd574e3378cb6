"""Publishes trained networks: `python -m training.export --mfn RUN --sfn RUN` writes models/*.onnx and manifest.json.

Each network takes uint8 NHWC pictures as they come from a decoder and gives one output a group, so that each group has
its own scale once it is quantised. The averaged weights also go into models/weights/*.npz (float32, one array a name,
no pickle), from which training can go on and every other form can be made.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from service.face_model import FaceModel
from training.data.crops import CROP_FACTOR
from training.data.pack import PAD
from training.variants import MULTIPLE, SINGLE

VERSION = "0.2.0"
OUTPUTS = {"mfn": ("detection", "pose", "identity", "expression"), "sfn": ("pose", "identity", "expression")}
MOST_DIFFERENCE = 2e-3  # between torch and onnxruntime, in raw output units
# what one picture of a face cannot show this network: ARKit names that stay 0
UNOBSERVED_ARKIT = [
    *("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    "tongueOut",
]


class Bytes(nn.Module):
    """Takes (B, H, W, 3) uint8 in place of (B, 3, H, W) float."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(image.permute(0, 3, 1, 2).float()))


def export(network: nn.Module, kind: str, out: Path) -> None:
    """Writes one network as ONNX and checks it against torch. kind: "mfn" (batch of one) or "sfn" (any batch)."""
    network.eval()
    size = network.input_size
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (1 if kind == "mfn" else 2, size, size, 3), generator=generator, dtype=torch.uint8)
    dynamic = None if kind == "mfn" else ({0: torch.export.Dim("faces", min=1, max=1024)},)
    program = torch.onnx.export(
        Bytes(network),
        (image,),
        input_names=["image"],
        output_names=list(OUTPUTS[kind]),
        dynamic_shapes=dynamic,
        dynamo=True,
        opset_version=20,
        verbose=False,
    )
    if program is None:
        raise SystemExit(f"torch.onnx gave no program for {kind}")
    model = program.model_proto
    for value in (*model.graph.value_info,):
        model.graph.value_info.remove(value)
    del model.metadata_props[:]
    model.producer_name, model.producer_version = "mfn", VERSION
    for node in model.graph.node:  # the exporter's notes name source files
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)

    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = Bytes(network)(image)
    for name, ours, theirs in zip(OUTPUTS[kind], expected, session.run(None, {"image": image.numpy()}), strict=True):
        difference = float(np.abs(ours.numpy() - theirs).max())
        if difference > MOST_DIFFERENCE:
            raise SystemExit(
                f"{out}: {name} differs from torch by {difference:.2g}, at most {MOST_DIFFERENCE} expected"
            )


def describe(path: Path, network: nn.Module, kind: str) -> dict[str, Any]:
    """The network's entry in the manifest."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def shape(value: Any) -> list[int | str]:
        return ["faces" if not isinstance(n, int) else n for n in value.shape]

    (image,) = session.get_inputs()
    entry: dict[str, Any] = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": {"name": image.name, "shape": shape(image), "dtype": "uint8"},
        "outputs": {output.name: shape(output) for output in session.get_outputs()},
    }
    if kind == "mfn":
        entry["pad_value"] = PAD
        entry["levels"] = [
            {"stride": level.stride, "anchors": [list(anchor) for anchor in level.anchors]} for level in network.levels
        ]
    else:
        entry["crop_factor"] = CROP_FACTOR
    return entry


def load_averaged(run: Path, variant: str) -> nn.Module:
    """The averaged network of a run's checkpoint."""
    network = {**MULTIPLE, **SINGLE}[variant]()
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(state["averaged"])
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mfn", type=Path, required=True, help="folder of the run")
    parser.add_argument("--sfn", type=Path, required=True, help="folder of the run")
    parser.add_argument("--mfn-variant", choices=MULTIPLE, default="mfn")
    parser.add_argument("--sfn-variant", choices=SINGLE, default="sfn")
    parser.add_argument("--out", type=Path, default=Path("models"))
    parser.add_argument("--face-model", type=Path, default=Path("models/face_model.npz"))
    args = parser.parse_args()

    entries = {}
    for kind, run, variant in (("mfn", args.mfn, args.mfn_variant), ("sfn", args.sfn, args.sfn_variant)):
        network = load_averaged(run, variant)
        path = args.out / f"{kind}.onnx"
        export(network, kind, path)
        entries[kind] = describe(path, network, kind)
        arrays = {name: value.numpy() for name, value in network.state_dict().items() if value.is_floating_point()}
        (args.out / "weights").mkdir(exist_ok=True)
        np.savez(args.out / "weights" / f"{kind}.npz", **arrays)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    face_model = args.out / "face_model.npz"
    if face_model.resolve() != args.face_model.resolve():
        face_model.write_bytes(args.face_model.read_bytes())
    path = args.out / "manifest.json"
    accuracy = json.loads(path.read_text()).get("accuracy", {}) if path.exists() else {}
    manifest = {
        "name": "mfn",
        "version": VERSION,
        "face_model": {"file": face_model.name, "sha256": hashlib.sha256(face_model.read_bytes()).hexdigest()},
        "networks": entries,
        "expression_names": list(FaceModel.load(face_model).expression_names),
        "unobserved_arkit": UNOBSERVED_ARKIT,
        "accuracy": accuracy,
    }
    path.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
