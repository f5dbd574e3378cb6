"""The way of a picture: bytes to RGB, to the network's input, to candidates, to faces, to refined faces."""

from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from service.candidates import WITNESS_SHARE, detect, merge
from service.candidates import decode as decode_candidates
from service.errors import too_many_bytes
from service.faces import Faces, place
from service.image import Picture
from service.image import decode as decode_picture
from service.letterbox import Letterbox
from service.model_files import Models
from service.refine import crops_of, refined
from service.settings import Settings
from service.suppression import suppress

# Longer side that a JPEG keeps at least, where it can be decoded smaller, when its faces get a second look: a face of
# 5 % of it still fills its crop.
REFINE_SIDE: Final = 2048
# Of the picture, not of the network's input, to which a picture of 1 x 1 is enlarged too: on fewer pixels no face
# shows, whatever the network takes the blur for.
MIN_FACE_PIXELS: Final = 6


@dataclass(frozen=True)
class Options:
    """What a request may choose. min_score in [0, 1]. max_faces: the best ones. refine: a second look at each."""

    min_score: float = 0.5
    max_faces: int = 20
    refine: bool = False


@dataclass(frozen=True)
class Timing:
    """Milliseconds of each step. inference: in the networks; preprocess: what makes their inputs."""

    decode: float = 0.0
    preprocess: float = 0.0
    queue: float = 0.0
    inference: float = 0.0
    postprocess: float = 0.0


@dataclass(frozen=True)
class Retargeted:
    """The faces of a picture of width x height pixels, after its EXIF orientation."""

    faces: Faces
    width: int
    height: int
    timing: Timing


class Pipeline:
    """Finds and describes the faces of pictures. Holds no state between pictures: threads may share it."""

    def __init__(self, models: Models, settings: Settings | None = None) -> None:
        self.models = models
        self.settings = settings or Settings()

    def retarget(self, data: bytes, options: Options, queue_ms: float = 0.0) -> Retargeted:
        """The faces in an encoded picture; queue_ms, the time it has waited, goes into the timing.

        Raises RequestError where the picture cannot be decoded or is too large.
        """
        start = perf_counter()
        if len(data) > self.settings.max_bytes:
            raise too_many_bytes(self.settings.max_bytes)
        side = REFINE_SIDE if options.refine else self.models.side
        picture = decode_picture(data, side, self.settings.max_megapixels)
        return self.retarget_picture(picture, options, (perf_counter() - start) * 1e3, queue_ms)

    def retarget_picture(
        self, picture: Picture, options: Options, decode_ms: float = 0.0, queue_ms: float = 0.0
    ) -> Retargeted:
        """The faces in a decoded picture."""
        models, field_of_view = self.models, self.settings.field_of_view
        times = [perf_counter()]
        letterbox = Letterbox.fit(picture.width, picture.height, models.side)
        square = letterbox.apply(picture.pixels)
        times.append(perf_counter())
        raw = models.mfn.run(square[None])
        times.append(perf_counter())
        # what a face is must not hang on the score asked for: candidates below it still have their say
        detections = detect(raw["detection"], models.priors, WITNESS_SHARE * options.min_score)
        eligible = int((detections.score >= options.min_score).sum())
        groups = suppress(detections.box, self.settings.nms_iou, options.max_faces, eligible)
        merged = merge(decode_candidates(raw, models.priors, detections), groups)
        faces = place(merged, letterbox, field_of_view)
        faces = faces.take(np.flatnonzero(np.ptp(faces.box.reshape(-1, 2, 2), axis=1).min(axis=-1) >= MIN_FACE_PIXELS))
        times.append(perf_counter())
        if options.refine and len(faces):
            crops = crops_of(faces, models.face_model, picture.width, picture.height, models.crop_factor)
            samples = np.stack([crop.sample(picture) for crop in crops])
            times.append(perf_counter())
            answers = models.sfn.run(samples)
            times.append(perf_counter())
            faces = refined(faces, crops, answers, picture.width, picture.height, field_of_view)
            times.append(perf_counter())
        # Steps alternate: preprocess, inference, postprocess, and with refinement the three once more.
        steps = np.diff(times).reshape(-1, 3).sum(axis=0) * 1e3
        timing = Timing(decode_ms, float(steps[0]), queue_ms, float(steps[1]), float(steps[2]))
        return Retargeted(faces, picture.width, picture.height, timing)
