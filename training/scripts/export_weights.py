"""Takes networks out of their runs: `python -m training.scripts.export_weights --mfn RUN --sfn RUN`.

Either may be an .npz of weights in place of a run's folder; of several, the mean of their weights is taken. Writes the
moving averages of the weights, rounded, to models/weights/*.npz (one array a name, no pickle), from which training can
go on and every published form is made (`make models`), and the networks as float32 ONNX with a manifest, so that the
folder can be evaluated and served at once.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from service.vision.arkit import NEVER_OBSERVED
from service.vision.face_model import FaceModel
from service.vision.gaze import GAZE_NAMES
from training.data.crops import CROP_FACTOR
from training.data.pack import PAD
from training.export.agreement import COMPARED, TorchNetwork, require_agreement
from training.export.artifacts import artifact_entry
from training.export.calibration import read_pictures
from training.export.onnx_float import OUTPUTS, Bytes, write_float32
from training.export.onnx_sizes import PRIORS, SIDE
from training.export.rounding import SIGNIFICANT_BITS, narrowest, round_weights
from training.export.run_onnx import OnnxNetwork
from training.networks.decoding import priors_of
from training.networks.outputs import COLUMNS, FaceNetwork, MultipleFaceNetwork
from training.networks.variants import MULTIPLE, SINGLE
from training.networks.weights import mean_network

VERSION = "0.6.0"


def describe(network: FaceNetwork) -> dict[str, Any]:
    """What the manifest says of a network in whatever form."""
    side = network.input_size
    if not isinstance(network, MultipleFaceNetwork):
        return {
            "input": {"name": "image", "shape": ["faces", side, side, 3], "dtype": "uint8"},
            "outputs": {name: ["faces", COLUMNS[name]] for name in OUTPUTS["sfn"]},
            "crop_factor": CROP_FACTOR,
        }
    sizes = network.input_sizes
    # a network of several sizes is described by the names of its free dimensions
    shown: str | int = side if len(sizes) == 1 else SIDE
    priors: str | int = len(priors_of(network.levels, side)) if len(sizes) == 1 else PRIORS
    return {
        "input": {"name": "image", "shape": [1, shown, shown, 3], "dtype": "uint8"},
        "input_sizes": list(sizes),
        "outputs": {name: [1, priors, COLUMNS[name]] for name in OUTPUTS["mfn"]},
        "pad_value": PAD,
        "levels": [
            {"stride": level.stride, "anchors": [list(anchor) for anchor in level.anchors]} for level in network.levels
        ],
    }


def write_weights(network: nn.Module, path: Path) -> None:
    """Writes a network's state but its counters, each array as float16 where that is exact (see
    training.networks.weights.load_weights).

    An archive as numpy's own, but for LZMA, which leaves less of it. The same numbers give the same bytes:
    ZipInfo dates to 1980.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                content = io.BytesIO()
                np.save(content, narrowest(value.numpy()))
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_LZMA)


def export(networks: Mapping[str, FaceNetwork], out: Path, face_model_source: Path, calibration: Path) -> None:
    """Writes networks by their kind, "mfn" and "sfn", with all that a folder of models needs. Their weights are rounded
    in place. calibration: pictures that the exported networks are compared on.

    Raises OSError or ValueError where a file cannot be read, or where an exported network differs.
    """
    pictures = {kind: read_pictures(calibration, kind, network.input_size) for kind, network in networks.items()}
    (out / "weights").mkdir(parents=True, exist_ok=True)
    entries = {}
    for kind, network in networks.items():
        round_weights(network, SIGNIFICANT_BITS)
        path, weights = out / f"{kind}.float32.onnx", out / "weights" / f"{kind}.npz"
        trained = Bytes(network)
        write_float32(trained, kind, VERSION, path)
        expected = TorchNetwork(trained, OUTPUTS[kind])
        require_agreement(expected, OnnxNetwork(path), pictures[kind][: COMPARED[kind]], "float32.onnx")
        write_weights(network, weights)
        entries[kind] = {
            "weights": artifact_entry(weights, out),
            "forms": {"float32.onnx": artifact_entry(path, out)},
            **describe(network),
        }
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    face_model = out / "face_model.npz"
    if face_model.resolve() != face_model_source.resolve():
        face_model.write_bytes(face_model_source.read_bytes())
    manifest = {
        "name": "mfn",
        "version": VERSION,
        "face_model": artifact_entry(face_model, out),
        "networks": entries,
        "expression_names": list(FaceModel.load(face_model).expression_names),
        "gaze_names": list(GAZE_NAMES),
        "unobserved_arkit": list(NEVER_OBSERVED),
        "accuracy": {},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    """Reads the options and runs the command."""
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
    try:
        export(networks, args.out, args.face_model, args.calibration)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        parser.exit(1, f"{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    main()
