"""The single face network on landmarks_val, cropped by its annotation.

    python -m training.scripts.validate_sfn --run RUN

A quick look while a run goes on; training.evaluation measures the product itself.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from training.data.archives import read_archive
from training.data.augment import sample
from training.data.crops import CROP_FACTOR, upright_crop
from training.evaluation.landmarks import landmark_metrics
from training.networks.decoding import Landmarks, decode_pose
from training.networks.variants import SINGLE
from training.networks.weights import read_network


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--variant", choices=SINGLE, default="sfn")
    parser.add_argument("--archive", type=Path, default=Path("../shared/data/landmarks_val.tar"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = read_network(args.run, args.variant)
    landmarks = Landmarks.load()
    size = network.input_size
    prior = torch.tensor([size / 2, size / 2, size, size])
    predicted, annotated = [], []
    with torch.inference_mode():
        for picture in read_archive(args.archive):
            points = torch.tensor(picture.annotation["landmarks68"][:1])
            crop = upright_crop(points, CROP_FACTOR, size)
            pixels = sample(torch.from_numpy(picture.decode().copy())[None], crop, size)
            output = network(pixels)
            pose = decode_pose(output.pose, prior.expand(1, 4))
            found = landmarks(pose, output.identity, torch.sigmoid(output.expression))
            predicted.append(found[0].numpy())
            annotated.append(crop.points(points)[0].numpy())
    print(landmark_metrics(np.array(predicted), np.array(annotated)))


if __name__ == "__main__":
    main()
