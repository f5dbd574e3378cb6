"""Builds models/face_model.npz from ICT-FaceKit light: `python -m training.scripts.build_face_model
ict_facekit.npz`."""

import argparse
from pathlib import Path

from training.face_model.build import build


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="ict_facekit.npz")
    parser.add_argument("--out", type=Path, default=Path("models/face_model.npz"))
    args = parser.parse_args()
    build(args.source, args.out)


if __name__ == "__main__":
    main()
