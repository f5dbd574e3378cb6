"""`python -m studio.modelling --face-model ict_facekit.npz --out studio/characters` makes the characters."""

import argparse
import zlib
from pathlib import Path

from studio.modelling.build import Foundation, build
from studio.modelling.recipe import RECIPES
from studio.modelling.scan import read_scan


def main() -> None:
    """Makes the characters asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m studio.modelling", description=__doc__)
    parser.add_argument("--face-model", type=Path, required=True, help="ICT-FaceKit light as ict_facekit.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder that the .glb files are written to")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones, of {', '.join(RECIPES)}; all without")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(RECIPES)):
        parser.error(f"no recipe is called {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = Foundation(read_scan(arguments.face_model))
    for name in arguments.names or RECIPES:
        path = build(base, name, arguments.out)
        data = path.read_bytes()
        print(f"{path}: {len(data) / 1e6:.2f} MB, {len(zlib.compress(data)) / 1e6:.2f} MB compressed")


if __name__ == "__main__":
    main()
