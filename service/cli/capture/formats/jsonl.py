"""JSON lines: the API's answer a frame, as the stream over WebSocket gives it with `"include": ["blendshapes"]`.

A frame without the face has no faces. A face has one member more than in a stream, `bridged`: whether its values are
interpolated between the frames around it. `timing_ms` is 0 throughout: the time of one frame is not known.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.blocks import blocks
from service.cli.capture.take import Take
from service.cli.whole_file import whole_file
from service.server.schema import coefficient_documents, include_blendshapes
from service.tracking.neutral import NeutralState
from service.vision.arkit import unobserved
from service.vision.faces import Faces

STEPS: Final = ("decode", "preprocess", "queue", "inference", "postprocess", "track")


def write(take: Take, path: Path) -> None:
    """Writes a line a frame. Raises WriteError."""
    with whole_file(path) as file:
        for frames in blocks(len(take.film)):
            for document in answers(take, np.arange(frames.start, frames.stop)):
                file.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")


def answers(take: Take, frames: NDArray[np.intp]) -> Iterator[dict[str, Any]]:
    """The answers to some frames of the film as JSON types."""
    known = frames[take.known[frames]]
    documents = coefficient_documents(faces(take, known), take.expression_names)
    include_blendshapes(documents, take.blendshapes[known])
    neutral = NeutralState.OFF if take.neutral is None else NeutralState.ON
    for frame, document in zip(known, documents, strict=True):
        document |= {"track_id": take.person, "neutral": neutral.value, "bridged": bool(take.bridged[frame])}
    documents_of = dict(zip(known.tolist(), documents, strict=True))
    for frame in frames.tolist():
        yield {
            "sequence": frame + 1,
            "timestamp_us": round(take.film.timestamps[frame] * 1e6),
            "dropped": 0,
            "restarted": False,
            "image": {"width": take.film.width, "height": take.film.height},
            "timing_ms": dict.fromkeys(STEPS, 0.0),
            "faces": [documents_of[frame]] if frame in documents_of else [],
            "unobserved_arkit": list(unobserved(take.gaze[[frame]])),
        }


def faces(take: Take, frames: NDArray[np.intp]) -> Faces:
    """The take's face in each of some frames that have values, which all have the take's identity."""
    return Faces(
        take.score[frames],
        take.box[frames],
        take.quaternion[frames],
        take.translation[frames],
        take.scale[frames],
        np.tile(take.identity, (len(frames), 1)),
        take.expression[frames],
        take.gaze[frames],
    )
