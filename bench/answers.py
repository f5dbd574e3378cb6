"""The faces that the networks find on the processor that runs this.

`python -m bench.answers MODELS PRECISION PHOTO...` writes them to its standard output, pickled. It is what
bench.processors runs in an emulator, where every import takes its time.
"""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.faces import Faces

SYSTEMS = {"MFN": RetargetOptions(), "MFN + SFN": RetargetOptions(refine=True)}

Answers = dict[str, list[Faces]]  # of each system, an answer a photo


def answers(models: Path, precision: str, photos: Sequence[Path]) -> Answers:
    """What each of SYSTEMS finds. models: the folder of the networks. precision: of
    service.settings.PRECISIONS."""
    pipeline = Pipeline(Models.load(models, Execution(precision)))
    return {
        name: [pipeline.retarget(photo.read_bytes(), options).faces for photo in photos]
        for name, options in SYSTEMS.items()
    }


if __name__ == "__main__":
    folder, chosen, *files = sys.argv[1:]
    pickle.dump(answers(Path(folder), chosen, [Path(file) for file in files]), sys.stdout.buffer)
