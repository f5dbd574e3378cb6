"""Takes networks out of their runs: `python -m training.scripts.export_weights --mfn RUN --sfn RUN`.

Either may be an .npz of averaged weights in place of a run's folder; of several, the mean of their weights is taken:
halfway between a start and what a run made of it, a network keeps more of what it knew (Wortsman et al., "Robust
fine-tuning of zero-shot models", CVPR 2022, section 3). Writes the averaged weights, rounded, to
models/weights/*.npz (one array a name, no pickle), from which training can go on and every published form is made
(`make models`), and the networks as float32 ONNX with a manifest, so that the folder can be evaluated and served at
once.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from service.vision.arkit import NEVER_OBSERVED
from service.vision.face_model import FaceModel
from service.vision.gaze import GAZE_NAMES
from training.data.crops import CROP_FACTOR
from training.data.pack import PAD
from training.export.agreement import COMPARED, TorchNetwork, require_agreement
from training.export.calibration import read_pictures
from training.export.files import described
from training.export.onnx_float import OUTPUTS, Bytes, write_float32
from training.export.onnx_sizes import PRIORS, SIDE
from training.export.rounding import SIGNIFICANT_BITS, narrowest, round_weights
from training.export.run_onnx import OnnxNetwork
from training.loop import load_averaged
from training.networks.decoding import priors_of
from training.networks.networks import COLUMNS, input_sizes
from training.networks.variants import MULTIPLE, SINGLE

VERSION = "0.6.0"


def describe(network: nn.Module, kind: str) -> dict[str, Any]:
    """What the manifest says of a network in whatever form."""
    side = network.input_size
    if kind == "sfn":
        return {
            "input": {"name": "image", "shape": ["faces", side, side, 3], "dtype": "uint8"},
            "outputs": {name: ["faces", COLUMNS[name]] for name in OUTPUTS[kind]},
            "crop_factor": CROP_FACTOR,
        }
    sizes = input_sizes(network)
    side, priors = (SIDE, PRIORS) if len(sizes) > 1 else (side, len(priors_of(network.levels, side)))
    return {
        "input": {"name": "image", "shape": [1, side, side, 3], "dtype": "uint8"},
        "input_sizes": list(sizes),
        "outputs": {name: [1, priors, COLUMNS[name]] for name in OUTPUTS[kind]},
        "pad_value": PAD,
        "levels": [
            {"stride": level.stride, "anchors": [list(anchor) for anchor in level.anchors]} for level in network.levels
        ],
    }


def read_network(source: Path, variant: str) -> nn.Module:
    """The averaged network of a run's folder or an .npz of weights. Raises SystemExit where it is of another one."""
    network = {**MULTIPLE, **SINGLE}[variant]()
    load_averaged(network, source)
    return network.eval()


def mean_network(sources: Sequence[Path], variant: str) -> nn.Module:
    """The mean, weight by weight, of the networks of `sources`, which should have one beginning; see read_network."""
    mean, *others = (read_network(source, variant) for source in sources)
    with torch.no_grad():
        for name, value in mean.state_dict().items():
            if value.is_floating_point():
                for other in others:
                    value += other.state_dict()[name]
                value /= len(sources)
    return mean


def write_weights(network: nn.Module, path: Path) -> None:
    """A network's state but its counters, each array as float16 where that is exact (see training.loop.load_weights).

    An archive as numpy's own, but for LZMA, which leaves less of it. The same numbers give the same bytes:
    ZipInfo dates to 1980.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                content = io.BytesIO()
                np.save(content, narrowest(value.numpy()))
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_LZMA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for kind in ("mfn", "sfn"):
        parser.add_argument(
            f"--{kind}",
            type=Path,
            nargs="+",
            required=True,
            metavar="SOURCE",
            help="folder of the run, or an .npz of weights; the mean of several",
        )
    parser.add_argument("--mfn-variant", choices=MULTIPLE, default="mfn")
    parser.add_argument("--sfn-variant", choices=SINGLE, default="sfn")
    parser.add_argument("--out", type=Path, default=Path("models"))
    parser.add_argument("--face-model", type=Path, default=Path("models/face_model.npz"))
    parser.add_argument("--calibration", type=Path, default=Path("models/calibration.npz"), help="to compare on")
    args = parser.parse_args()

    networks = {"mfn": mean_network(args.mfn, args.mfn_variant), "sfn": mean_network(args.sfn, args.sfn_variant)}
    (args.out / "weights").mkdir(parents=True, exist_ok=True)
    entries = {}
    for kind, network in networks.items():
        round_weights(network, SIGNIFICANT_BITS)
        path, weights = args.out / f"{kind}.float32.onnx", args.out / "weights" / f"{kind}.npz"
        trained, pictures = Bytes(network), read_pictures(args.calibration, kind, network.input_size)
        write_float32(trained, kind, VERSION, path)
        expected = TorchNetwork(trained, OUTPUTS[kind])
        require_agreement(expected, OnnxNetwork(path), pictures[: COMPARED[kind]], "float32.onnx")
        write_weights(network, weights)
        entries[kind] = {
            "weights": described(weights, args.out),
            "forms": {"float32.onnx": described(path, args.out)},
            **describe(network, kind),
        }
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    face_model = args.out / "face_model.npz"
    if face_model.resolve() != args.face_model.resolve():
        face_model.write_bytes(args.face_model.read_bytes())
    manifest = {
        "name": "mfn",
        "version": VERSION,
        "face_model": described(face_model, args.out),
        "networks": entries,
        "expression_names": list(FaceModel.load(face_model).expression_names),
        "gaze_names": list(GAZE_NAMES),
        "unobserved_arkit": list(NEVER_OBSERVED),
        "accuracy": {},
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
