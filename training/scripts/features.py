"""What the published MFN sees, layer by layer, as in figure 4.

    python -m training.scripts.features --picture P --out S.png

Writes a sheet of heat maps over the picture: the backbone's features c3, c4, c5 above, and below them those that
identity and expression read, p3, n4, n5. A map is the mean over channels, coloured from the least to the greatest
value that it has on the picture.
"""

import argparse
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import Normalize
from PIL import Image
from torch import Tensor, nn

from service.vision.letterbox import Letterbox
from training.networks.mfn import MFN
from training.networks.weights import load_weights

LAYERS = {"c3": "stage3", "c4": "stage4", "c5": "stage5", "p3": "mix3", "n4": "blend4", "n5": "blend5"}
OPACITY = 0.6  # of the heat maps


def activations(network: nn.Module, square: np.ndarray) -> dict[str, np.ndarray]:
    """(h, w) mean over channels of each of LAYERS for a picture (S, S, 3) uint8."""
    maps: dict[str, np.ndarray] = {}

    def keep(name: str) -> None:
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            maps[name] = output[0].mean(0).numpy()

        handles.append(network.get_submodule(LAYERS[name]).register_forward_hook(hook))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    for name in LAYERS:
        keep(name)
    with torch.inference_mode():
        network(torch.from_numpy(square.copy()).permute(2, 0, 1)[None].float())
    for handle in handles:
        handle.remove()
    return {name: maps[name] for name in LAYERS}


def on_picture(values: np.ndarray, box: Letterbox) -> np.ndarray:
    """The cells of a map (h, w) of the square that show a part of the picture, not only the grey around it."""
    stride = box.side / len(values)
    (left, top), (width, height) = box.offset, box.content
    rows = slice(int(top / stride), math.ceil((top + height) / stride))
    return values[rows, int(left / stride) : math.ceil((left + width) / stride)]


def sheet(picture: np.ndarray, box: Letterbox, maps: dict[str, np.ndarray], target: Path) -> None:
    """Two rows: the picture (side, side, 3) uint8 and the first three maps, then the others. Padding is cut away."""
    height = 3.2 * box.content[1] / box.content[0]
    figure, axes = plt.subplots(2, 4, figsize=(4 * 3.2, 2 * (height + 0.3)), layout="constrained")
    x, y = box.offset
    side = (0, box.side, box.side, 0)
    for axis in axes.flat:
        axis.set_axis_off()
    axes[0, 0].imshow(picture, extent=side)
    axes[0, 0].set_title("picture")
    for axis, (name, values) in zip(axes[:, 1:].flat, maps.items(), strict=True):
        axis.imshow(picture.mean(-1), cmap="gray", extent=side)
        shown = on_picture(values, box)
        colours = Normalize(shown.min(), shown.max())
        axis.imshow(values, cmap="inferno", norm=colours, alpha=OPACITY, extent=side, interpolation="bilinear")
        axis.set_title(f"{name}, {values.shape[1]} x {values.shape[0]}")
    for axis in (axes[0, 0], *axes[:, 1:].flat):
        axis.set_xlim(x, x + box.content[0])
        axis.set_ylim(y + box.content[1], y)
    figure.savefig(target, dpi=100)
    plt.close(figure)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with weights/mfn.npz")
    parser.add_argument("--picture", type=Path, default=Path("tests/pictures/five_faces.webp"))
    parser.add_argument("--out", type=Path, default=Path(".work/features.png"))
    args = parser.parse_args()
    network = MFN()
    load_weights(network, args.models / "weights" / "mfn.npz")
    pixels = np.asarray(Image.open(args.picture).convert("RGB"))
    box = Letterbox.fit(pixels.shape[1], pixels.shape[0], network.input_size)
    square = box.apply(pixels)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(square, box, activations(network.eval(), square), args.out)
    print(args.out)


if __name__ == "__main__":
    main()
