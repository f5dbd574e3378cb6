"""Makes every published form of both networks from their weights: `make models`.

Needs no photos: models/weights/*.npz, models/calibration.npz (drawn faces) and models/manifest.json are enough, and
give the same files again. Everything is made and checked in a folder of its own first; the published files are replaced
only when all of it is right.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.export.agreement import COMPARED, INFERENCE_GRAPH, TorchNetwork, require_agreement
from training.export.artifacts import FORMS, artifact_entry
from training.export.calibration import FILE as CALIBRATION
from training.export.calibration import mosaics, read_pictures
from training.export.inference_graph import InferenceGraph
from training.export.onnx_float import OUTPUTS, Bytes, write_float32
from training.export.onnx_half import halve
from training.export.onnx_int8 import write_int8
from training.export.onnx_layout import lay_out
from training.export.reduced_range import reduce_range
from training.export.run_onnx import OnnxNetwork
from training.export.run_tflite import TfliteNetwork
from training.export.tflite import write_tflite
from training.networks.mfn import MFN
from training.networks.outputs import FaceNetwork
from training.networks.sfn import SFN
from training.networks.weights import load_weights


def read_network(kind: str, entry: dict[str, Any], folder: Path) -> FaceNetwork:
    """The network of the weights that the manifest names. Raises ValueError where they are not those it means."""
    path = folder / entry["weights"]["file"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry["weights"]["sha256"]:
        raise ValueError(
            f"{path} has the sha256 {found}, but the manifest means {entry['weights']['sha256']}. Restore the weights "
            "that belong to it, or write both anew with python -m training.scripts.export_weights."
        )
    network: FaceNetwork = MFN() if kind == "mfn" else SFN()
    load_weights(network, path)
    network.eval()
    return network


def make(network: FaceNetwork, kind: str, version: str, pictures: np.ndarray, folder: Path, names: list[str]) -> None:
    """Writes all forms of a network into an empty folder, each held against torch; ValueError where one fails."""
    graph = InferenceGraph(network, OUTPUTS[kind], pictures)
    rounded = TorchNetwork(graph, OUTPUTS[kind])
    require_agreement(TorchNetwork(Bytes(network), OUTPUTS[kind]), rounded, pictures[: COMPARED[kind]], INFERENCE_GRAPH)
    float32 = folder / f"{kind}.float32.onnx"
    int8 = folder / f"{kind}.int8.onnx"
    reduced = InferenceGraph(network, OUTPUTS[kind], pictures, bits=None)
    reduce_range(reduced, pictures)
    write_float32(reduced, kind, version, float32)
    write_int8(float32, pictures, version, int8)
    write_float32(graph, kind, version, float32)
    halve(float32)
    for path in (float32, int8):
        lay_out(path)
    write_tflite(graph, kind, version, pictures, folder, names)
    for form in FORMS:
        path = folder / f"{kind}.{form}"
        runner = OnnxNetwork(path) if path.suffix == ".onnx" else TfliteNetwork(path)
        for side in graph.sides if path.suffix == ".onnx" else (graph.side,):
            require_agreement(rounded, runner, mosaics(pictures, side)[: COMPARED[kind]], form)


def publish(folder: Path) -> None:
    """All forms of the networks whose weights the folder holds. Raises ValueError or OSError, and then has changed
    nothing."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as made:
        for kind, entry in manifest["networks"].items():
            network = read_network(kind, entry, folder)
            pictures = read_pictures(folder / CALIBRATION, kind, network.input_size)
            make(network, kind, manifest["version"], pictures, Path(made), manifest["expression_names"])
            entry["forms"] = {form: artifact_entry(Path(made) / f"{kind}.{form}", Path(made)) for form in FORMS}
            print(f"{kind}: {', '.join(FORMS)} agree with the weights", flush=True)
        for file in Path(made).iterdir():
            shutil.copyfile(file, folder / f".{file.name}.new")
        for file in Path(made).iterdir():
            (folder / f".{file.name}.new").replace(folder / file.name)
    fresh = path.with_name(".manifest.json.new")
    fresh.write_text(json.dumps(manifest, indent=2) + "\n")
    fresh.replace(path)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the weights and the manifest")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # the exporters' own, of which nothing follows
    torch.set_num_threads(1)
    try:
        publish(args.models)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        parser.exit(1, f"{type(error).__name__}: {error}\nThe published files are as they were.\n")


if __name__ == "__main__":
    main()
