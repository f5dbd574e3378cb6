"""What single-scale and multi-scale features look like, after the paper's figure 4.

    python -m training.scripts.filters --single .work/abl/sfn-ss --multi .work/abl/sfn-0 --out .work/filters.png

A row a face: the crop; the single-scale SFN's features at stride 8, which all of its outputs come from; and of the
multi-scale SFN what each path carries: the fine and the middle branch, which identity and expression read, and the last
features, which pose reads alone. Of each, up to 25 filters drawn at random, each from its least to its greatest value.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.crops import crops_of
from service.vision.image import Picture
from training.networks.weights import read_network

SHOWN, A_ROW = 25, 5
PICTURES = [Path("docs/astronaut.jpg"), Path("tests/pictures/one_face.jpg")]
SINGLE = {"all features": "stage3"}
MULTI = {"fine branch": "branch3.0.body.0", "middle branch": "branch4.body.0", "last features, pose": "stage5.0.body.0"}


def features(network: nn.Module, crop: np.ndarray, layers: dict[str, str]) -> dict[str, np.ndarray]:
    """(C, h, w) of each named layer for a crop (S, S, 3) uint8."""
    kept: dict[str, np.ndarray] = {}

    def keep(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            kept[name] = output[0].numpy()

        return network.get_submodule(layers[name]).register_forward_hook(hook)

    handles = [keep(name) for name in layers]
    with torch.inference_mode():
        network(torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float())
    for handle in handles:
        handle.remove()
    return {name: kept[name] for name in layers}


def mosaic(maps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to SHOWN of maps (C, h, w), side by side with a line between, each brought to 0..1; dead ones stay 0."""
    chosen = maps[np.sort(rng.permutation(len(maps))[:SHOWN])]
    low, high = chosen.min((1, 2), keepdims=True), chosen.max((1, 2), keepdims=True)
    chosen = (chosen - low) / np.maximum(high - low, 1e-6)
    framed = np.pad(chosen, ((0, -len(chosen) % A_ROW), (0, 1), (0, 1)), constant_values=np.nan)
    rows, columns = len(framed) // A_ROW, A_ROW
    return framed.reshape(rows, columns, *framed.shape[1:]).swapaxes(1, 2).reshape(rows * framed.shape[1], -1)


def crop_of(path: Path, models: Models) -> np.ndarray:
    """(S, S, 3) uint8: the crop of the surest face, as the service cuts it. Raises ValueError where there is none."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
    faces = Pipeline(models).detect(picture, RetargetOptions(max_faces=1)).faces
    if not len(faces):
        raise ValueError(f"no face was found on {path}")
    return crops_of(faces, models.face_model, picture.width, picture.height, models.crop_factor)[0].sample(picture)


def sheet(crops: list[np.ndarray], columns: list[tuple[nn.Module, str, dict[str, str]]], target: Path) -> None:
    """Draws the sheet. columns: a network, its name and its layers to show."""
    width = 1 + sum(len(layers) for _, _, layers in columns)
    figure, axes = plt.subplots(len(crops), width, figsize=(2.6 * width, 2.7 * len(crops)), layout="constrained")
    for row, crop in zip(np.atleast_2d(axes), crops, strict=True):
        cells = iter(row)
        next(cells).imshow(crop)
        for network, name, layers in columns:
            for title, maps in features(network, crop, layers).items():
                axis = next(cells)
                axis.imshow(mosaic(maps, np.random.default_rng(0)), cmap="inferno", interpolation="nearest")
                axis.set_title(f"{name}: {title}, {maps.shape[2]} x {maps.shape[1]}", fontsize=8)
        for axis in row:
            axis.set_axis_off()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=80)
    plt.close(figure)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--single", type=Path, required=True, help="run of single-scale-sfn")
    parser.add_argument("--multi", type=Path, required=True, help="run of sfn, trained alike")
    parser.add_argument("--models", type=Path, default=Path("models"), help="find the faces (%(default)s)")
    parser.add_argument("--pictures", type=Path, nargs="+", default=PICTURES)
    parser.add_argument("--out", type=Path, default=Path(".work/filters.png"))
    args = parser.parse_args()
    models = Models.load(args.models)
    columns: list[tuple[nn.Module, str, dict[str, str]]] = [
        (read_network(args.single, "single-scale-sfn"), "single scale", SINGLE),
        (read_network(args.multi, "sfn"), "multi-scale", MULTI),
    ]
    sheet([crop_of(path, models) for path in args.pictures], columns, args.out)
    print(args.out)


if __name__ == "__main__":
    main()
