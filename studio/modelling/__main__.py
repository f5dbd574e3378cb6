"""`python -m studio.modelling --face-model ict_facekit.npz --out studio/characters` makes the characters."""

import argparse
from pathlib import Path

from studio.modelling.build import RECIPES, build
from studio.modelling.scan import read_scan


def main() -> None:
    """Makes the characters asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m studio.modelling", description=__doc__)
    parser.add_argument("--face-model", type=Path, required=True, help="ICT-FaceKit light as ict_facekit.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder that the .glb files are written to")
    parser.add_argument("names", nargs="*", choices=[[], *RECIPES], help="which ones; all without")
    arguments = parser.parse_args()
    scan = read_scan(arguments.face_model)
    for name in arguments.names or RECIPES:
        build(scan, name, arguments.out)


if __name__ == "__main__":
    main()
