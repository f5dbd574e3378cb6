"""Makes every published form of both networks from their weights: `make models`.

Needs no photos: models/weights/*.npz, models/calibration.npz (drawn faces) and models/manifest.json are enough, and
give the same files again. Everything is made and checked in a folder of its own first; the published files are replaced only
when all of it is right.
"""

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from training.forms.calibration import check_pictures
from training.forms.files import FORMS
from training.loop import load_weights
from training.networks import MFN, SFN

CALIBRATION = "calibration.npz"
COMPARED = 8  # pictures that forms are held against torch on


def read_network(kind: str, entry: dict[str, Any], folder: Path) -> nn.Module:
    """The network of the weights that the manifest names. Raises ValueError where they are not those it means."""
    path = folder / entry["weights"]["file"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry["weights"]["sha256"]:
        raise ValueError(
            f"{path} has the sha256 {found}, but the manifest means {entry['weights']['sha256']}. Restore the weights "
            "that belong to it, or write both anew with python -m training.export."
        )
    network = {"mfn": MFN, "sfn": SFN}[kind]()
    load_weights(network, path)
    return network.eval()


def read_pictures(path: Path, kind: str, side: int) -> np.ndarray:
    """(N, side, side, 3) uint8 of the calibration file. Raises ValueError where they cannot calibrate."""
    with np.load(path) as arrays:
        if kind not in arrays:
            raise ValueError(f"{path} holds {', '.join(arrays)}; pictures named {kind} were expected")
        pictures = arrays[kind]
    try:
        check_pictures(pictures, side)
    except ValueError as error:
        raise ValueError(f"{path}, {kind}: {error}") from error
    return pictures


def make(network: nn.Module, kind: str, forms: list[str], pictures: np.ndarray, names: list[str], **about: Any) -> None:
    raise NotImplementedError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.forms", description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the weights and the manifest")
    parser.add_argument("--forms", nargs="+", default=list(FORMS), metavar="FORM", help=f"of {', '.join(FORMS)}")
    args = parser.parse_args()
    if unknown := sorted(set(args.forms) - set(FORMS)):
        parser.error(f"{unknown[0]} is no form; there are {', '.join(FORMS)}")


if __name__ == "__main__":
    main()
